#include "base/text.h"

namespace ginnel {
namespace {

bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

// All ones when low <= c <= high, else zero; without a branch on c.
int in_range(int c, int low, int high) { return ((low - 1 - c) & (c - high - 1)) >> 31; }

int hex_value(int c) {
  return (in_range(c, '0', '9') & (c - '0' + 1)) + (in_range(c, 'a', 'f') & (c - 'a' + 11)) +
         (in_range(c, 'A', 'F') & (c - 'A' + 11)) - 1;
}

int base64_value(int c) {
  return (in_range(c, 'A', 'Z') & (c - 'A' + 1)) + (in_range(c, 'a', 'z') & (c - 'a' + 27)) +
         (in_range(c, '0', '9') & (c - '0' + 53)) + (in_range(c, '+', '+') & 63) +
         (in_range(c, '/', '/') & 64) - 1;
}

char base64_digit(int value) {
  return static_cast<char>((in_range(value, 0, 25) & ('A' + value)) +
                           (in_range(value, 26, 51) & ('a' + value - 26)) +
                           (in_range(value, 52, 61) & ('0' + value - 52)) +
                           (in_range(value, 62, 62) & '+') + (in_range(value, 63, 63) & '/'));
}

}  // namespace

std::string_view trim(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> pieces;
  for (;;) {
    const std::size_t at = text.find(separator);
    pieces.push_back(text.substr(0, at));
    if (at == std::string_view::npos) return pieces;
    text.remove_prefix(at + 1);
  }
}

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return lower(x) == lower(y); });
}

std::optional<std::uint64_t> parse_c_number(std::string_view text, int base) {
  const bool is_negative = text.starts_with('-');
  if (is_negative || text.starts_with('+')) text.remove_prefix(1);
  if (base == 0 && (text.starts_with("0x") || text.starts_with("0X"))) {
    base = 16;
    text.remove_prefix(2);
  } else if (base == 0) {
    base = text.starts_with('0') ? 8 : 10;
  }
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return is_negative ? 0 - value : value;
}

std::string to_hex(ByteView bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const std::uint8_t byte : bytes) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

bool from_hex(std::string_view text, ByteSpan out) {
  if (text.size() != out.size() * 2) return false;
  int bad = 0;
  for (std::size_t i = 0; i < out.size(); ++i) {
    const int high = hex_value(static_cast<unsigned char>(text[2 * i]));
    const int low = hex_value(static_cast<unsigned char>(text[2 * i + 1]));
    bad |= (high | low) >> 31;
    out[i] = static_cast<std::uint8_t>((high << 4) | low);
  }
  return bad == 0;
}

std::string to_base64(ByteView bytes) {
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t left = std::min<std::size_t>(3, bytes.size() - i);
    const int group =
        (bytes[i] << 16) | (left > 1 ? bytes[i + 1] << 8 : 0) | (left > 2 ? bytes[i + 2] : 0);
    text += base64_digit((group >> 18) & 63);
    text += base64_digit((group >> 12) & 63);
    text += left > 1 ? base64_digit((group >> 6) & 63) : '=';
    text += left > 2 ? base64_digit(group & 63) : '=';
  }
  return text;
}

bool from_base64(std::string_view text, ByteSpan out) {
  if (text.size() != (out.size() + 2) / 3 * 4) return false;
  int bad = 0;
  for (std::size_t i = 0, o = 0; i < text.size(); i += 4, o += 3) {
    const std::size_t left = std::min<std::size_t>(3, out.size() - o);
    int group = 0;
    for (std::size_t j = 0; j < 4; ++j) {
      const bool is_padding = j > left;
      const char c = text[i + j];
      const int value =
          is_padding ? (c == '=' ? 0 : -1) : base64_value(static_cast<unsigned char>(c));
      bad |= value >> 31;
      group = (group << 6) | (value & 63);
    }
    if (left == 1) bad |= -((group & 0xffff) != 0);
    if (left == 2) bad |= -((group & 0xff) != 0);
    for (std::size_t j = 0; j < left; ++j) {
      out[o + j] = static_cast<std::uint8_t>(group >> (16 - 8 * static_cast<int>(j)));
    }
  }
  return bad == 0;
}

}  // namespace ginnel

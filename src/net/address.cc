#include "net/address.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/check.h"
#include "base/text.h"

namespace ginnel::net {
namespace {

bool parse_v4(std::string_view text, std::uint8_t* out) {
  const auto parts = split(text, '.');
  if (parts.size() != 4) return false;
  for (std::size_t i = 0; i < 4; ++i) {
    if (parts[i].size() > 3 || (parts[i].size() > 1 && parts[i][0] == '0')) return false;
    const auto number = parse_number<unsigned>(parts[i], 0, 255);
    if (!number) return false;
    out[i] = static_cast<std::uint8_t>(*number);
  }
  return true;
}

// Reads the groups of one side of "::" into `out`; returns the bytes written, or -1.
int parse_groups(std::string_view text, std::uint8_t* out, int room, bool may_end_in_v4) {
  if (text.empty()) return 0;
  int used = 0;
  const auto parts = split(text, ':');
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const std::string_view part = parts[i];
    if (part.find('.') != std::string_view::npos) {
      const bool is_last = i + 1 == parts.size();
      if (!may_end_in_v4 || !is_last || used + 4 > room || !parse_v4(part, out + used)) return -1;
      return used + 4;
    }
    unsigned value = 0;
    const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), value, 16);
    if (part.empty() || part.size() > 4 || error != std::errc() ||
        end != part.data() + part.size() || used + 2 > room) {
      return -1;
    }
    out[used++] = static_cast<std::uint8_t>(value >> 8);
    out[used++] = static_cast<std::uint8_t>(value);
  }
  return used;
}

bool parse_v6(std::string_view text, std::array<std::uint8_t, 16>& out) {
  const std::size_t gap = text.find("::");
  if (gap == std::string_view::npos) return parse_groups(text, out.data(), 16, true) == 16;
  std::array<std::uint8_t, 16> tail{};
  const int before = parse_groups(text.substr(0, gap), out.data(), 14, false);
  const int after = parse_groups(text.substr(gap + 2), tail.data(), 14, true);
  if (before < 0 || after < 0 || before + after > 14) return false;
  std::copy_n(tail.begin(), after, out.end() - after);
  return true;
}

bool starts_with(ByteView bytes, std::initializer_list<std::uint8_t> prefix) {
  return std::equal(prefix.begin(), prefix.end(), bytes.begin());
}

// RFC 5952: lower case, no leading zeros, the longest run of two or more zero groups becomes "::".
std::string format_v6(ByteView bytes) {
  std::array<unsigned, 8> groups;
  for (std::size_t i = 0; i < 8; ++i) groups[i] = load<Be16>(bytes.subspan(2 * i));
  if (std::all_of(groups.begin(), groups.begin() + 5, [](unsigned g) { return g == 0; }) &&
      groups[5] == 0xffff) {
    return fmt::format("::ffff:{}.{}.{}.{}", bytes[12], bytes[13], bytes[14], bytes[15]);
  }
  std::size_t best = 8, best_length = 1;
  for (std::size_t i = 0; i < 8;) {
    std::size_t end = i;
    while (end < 8 && groups[end] == 0) ++end;
    if (end - i > best_length) {
      best = i;
      best_length = end - i;
    }
    i = std::max(end, i + 1);
  }
  std::string text;
  for (std::size_t i = 0; i < 8;) {
    if (i == best) {
      text += "::";
      i += best_length;
      continue;
    }
    if (!text.empty() && text.back() != ':') text += ':';
    text += fmt::format("{:x}", groups[i++]);
  }
  return text;
}

}  // namespace

Address Address::v4(std::array<std::uint8_t, 4> bytes) { return from_bytes(bytes); }
Address Address::v6(std::array<std::uint8_t, 16> bytes) { return from_bytes(bytes); }

Address Address::any(Family family) {
  Address address;
  address.family_ = family;
  return address;
}

Address Address::from_bytes(ByteView bytes) {
  CHECK(bytes.size() == 4 || bytes.size() == 16);
  Address address;
  address.family_ = bytes.size() == 4 ? Family::V4 : Family::V6;
  std::copy(bytes.begin(), bytes.end(), address.bytes_.begin());
  return address;
}

Result<Address> Address::parse(std::string_view text) {
  if (text.size() <= 45) {
    if (text.find(':') != std::string_view::npos) {
      std::array<std::uint8_t, 16> bytes{};
      if (parse_v6(text, bytes)) return v6(bytes);
    } else {
      std::array<std::uint8_t, 4> bytes{};
      if (parse_v4(text, bytes.data())) return v4(bytes);
    }
  }
  return fail(ErrorCode::InvalidArgument,
              fmt::format("\"{}\" is not an IP address; write one like 192.0.2.1 or 2001:db8::1",
                          text.substr(0, 64)));
}

std::string Address::to_string() const {
  if (is_v4()) return fmt::format("{}.{}.{}.{}", bytes_[0], bytes_[1], bytes_[2], bytes_[3]);
  return format_v6(bytes());
}

bool Address::is_loopback() const {
  if (is_v4()) return bytes_[0] == 127;
  return *this == any(Family::V6).plus(1);
}

bool Address::is_link_local() const {
  if (is_v4()) return starts_with(bytes_, {169, 254});
  return bytes_[0] == 0xfe && (bytes_[1] & 0xc0) == 0x80;
}

bool Address::is_multicast() const {
  return is_v4() ? (bytes_[0] & 0xf0) == 0xe0 : bytes_[0] == 0xff;
}

bool Address::is_private() const {
  if (is_loopback() || is_link_local()) return true;
  if (!is_v4()) return (bytes_[0] & 0xfe) == 0xfc;
  return bytes_[0] == 10 || starts_with(bytes_, {192, 168}) ||
         (bytes_[0] == 172 && (bytes_[1] & 0xf0) == 16) ||
         (bytes_[0] == 100 && (bytes_[1] & 0xc0) == 64);
}

Address Address::plus(std::uint64_t count) const {
  Address sum = *this;
  std::uint64_t carry = count;
  for (std::size_t i = bytes().size(); i-- > 0 && carry != 0;) {
    const std::uint64_t digit = sum.bytes_[i] + (carry & 0xff);
    sum.bytes_[i] = static_cast<std::uint8_t>(digit);
    carry = (carry >> 8) + (digit >> 8);
  }
  return sum;
}

}  // namespace ginnel::net

std::size_t std::hash<ginnel::net::Address>::operator()(
    const ginnel::net::Address& address) const noexcept {
  const ginnel::ByteView bytes = address.bytes();
  return std::hash<std::string_view>()({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

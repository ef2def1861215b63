#include "core/config/stock_values.h"

#include "base/text.h"

namespace ginnel::config {
namespace {

constexpr std::size_t kV4Bytes = 4;

std::optional<net::Address> ip_tool_v4(std::string_view text) {
  const auto parts = split(text, '.');
  if (parts.size() > kV4Bytes) return std::nullopt;
  std::array<std::uint8_t, kV4Bytes> bytes{};
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const auto number = parse_c_number(parts[i], 0);
    if (!number || *number > UINT8_MAX) return std::nullopt;
    bytes[i] = static_cast<std::uint8_t>(*number);
  }
  return net::Address::v4(bytes);
}

}  // namespace

std::optional<net::Address> ip_tool_address(std::string_view text) {
  if (text.find(':') == std::string_view::npos) return ip_tool_v4(text);
  const auto address = net::Address::parse(text);
  return address ? std::optional(*address) : std::nullopt;
}

std::optional<unsigned> ip_tool_length(std::string_view text) {
  if (const auto number = parse_c_number(text, 0)) {
    return *number <= UINT32_MAX ? std::optional(static_cast<unsigned>(*number)) : std::nullopt;
  }
  if (text == "default" || text == "any" || text == "all") return 0;
  const auto mask = ip_tool_v4(text);
  if (!mask) return std::nullopt;
  unsigned length = 0;
  while (length < mask->bits() && mask->bit(length)) ++length;
  const bool is_mask = net::Prefix::masking(*mask, length).address() == *mask;
  return is_mask ? std::optional(length) : std::nullopt;
}

std::optional<net::Address> resolver_address(std::string_view text) {
  const auto parts = split(text, '.');
  if (parts.size() > kV4Bytes) return std::nullopt;
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const bool is_last = i + 1 == parts.size();
    const unsigned bits = is_last ? 8 * unsigned(kV4Bytes - i) : 8;
    const bool is_digit = !parts[i].empty() && parts[i].front() >= '0' && parts[i].front() <= '9';
    const auto number = is_digit ? parse_c_number(parts[i], 0) : std::nullopt;
    if (!number || *number >> bits != 0) return std::nullopt;
    value |= static_cast<std::uint32_t>(*number) << (is_last ? 0 : 24 - 8 * unsigned(i));
  }
  return net::Address::v4(
      {static_cast<std::uint8_t>(value >> 24), static_cast<std::uint8_t>(value >> 16),
       static_cast<std::uint8_t>(value >> 8), static_cast<std::uint8_t>(value)});
}

std::optional<std::uint16_t> resolver_port(std::string_view text) {
  const auto number = parse_c_number(text, 10);
  // It is held in an `int`, and a negative one stands for "not in numbers".
  if (!number || (*number & 0x80000000u) != 0) return std::nullopt;
  return static_cast<std::uint16_t>(*number);
}

}  // namespace ginnel::config

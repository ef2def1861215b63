#include "net/prefix.h"

#include <fmt/format.h>

#include "base/check.h"
#include "base/text.h"

namespace ginnel::net {

Prefix Prefix::masking(const Address& address, unsigned length) {
  CHECK(length <= address.bits());
  std::array<std::uint8_t, 16> bytes{};
  const ByteView from = address.bytes();
  std::copy(from.begin(), from.end(), bytes.begin());
  for (std::size_t i = 0; i < from.size(); ++i) {
    const unsigned kept = length > 8 * i ? std::min<unsigned>(8, length - 8 * unsigned(i)) : 0;
    bytes[i] = static_cast<std::uint8_t>(bytes[i] & (0xff00u >> kept));
  }
  Prefix prefix;
  prefix.address_ = Address::from_bytes(ByteView(bytes.data(), from.size()));
  prefix.length_ = static_cast<std::uint8_t>(length);
  return prefix;
}

Result<InterfaceAddress> InterfaceAddress::parse(std::string_view text) {
  const std::size_t slash = text.find('/');
  auto address = Address::parse(text.substr(0, slash));
  if (!address) return pass(std::move(address));
  InterfaceAddress result{*address, address->bits()};
  if (slash == std::string_view::npos) return result;
  const auto length = parse_number<unsigned>(text.substr(slash + 1), 0, address->bits());
  if (!length) {
    return fail(ErrorCode::InvalidArgument,
                fmt::format("\"{}\": the prefix length must be a number from 0 to {}",
                            text.substr(0, 64), address->bits()));
  }
  result.length = *length;
  return result;
}

std::string InterfaceAddress::to_string() const {
  return fmt::format("{}/{}", address.to_string(), length);
}

Result<Prefix> Prefix::parse_masking(std::string_view text) {
  auto parsed = InterfaceAddress::parse(text);
  if (!parsed) return pass(std::move(parsed));
  return parsed->subnet();
}

Result<Prefix> Prefix::parse(std::string_view text) {
  auto parsed = InterfaceAddress::parse(text);
  if (!parsed) return pass(std::move(parsed));
  const Prefix prefix = parsed->subnet();
  if (prefix.address() != parsed->address) {
    return fail(ErrorCode::InvalidArgument, fmt::format("{} has host bits set; write {}",
                                                        parsed->to_string(), prefix.to_string()));
  }
  return prefix;
}

std::string Prefix::to_string() const {
  return fmt::format("{}/{}", address_.to_string(), length_);
}

bool Prefix::contains(const Address& address) const {
  return address.family() == family() && masking(address, length_).address_ == address_;
}

bool Prefix::contains(const Prefix& other) const {
  return other.length_ >= length_ && contains(other.address_);
}

Address Prefix::last() const {
  std::array<std::uint8_t, 16> bytes{};
  const ByteView from = address_.bytes();
  for (std::size_t i = 0; i < from.size(); ++i) {
    const unsigned kept = length_ > 8 * i ? std::min<unsigned>(8, length_ - 8 * unsigned(i)) : 0;
    bytes[i] = static_cast<std::uint8_t>(from[i] | (0xffu >> kept));
  }
  return Address::from_bytes(ByteView(bytes.data(), from.size()));
}

}  // namespace ginnel::net

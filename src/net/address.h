// IP addresses as values, IPv4 and IPv6 in one type.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

namespace ginnel::net {

enum class Family : std::uint8_t { V4, V6 };

inline constexpr unsigned bits_of(Family family) { return family == Family::V4 ? 32 : 128; }

class Address {
 public:
  Address() = default;  // 0.0.0.0
  static Address v4(std::array<std::uint8_t, 4> bytes);
  static Address v6(std::array<std::uint8_t, 16> bytes);
  static Address any(Family family);
  // From 4 or 16 bytes in network order. REQUIRES: one of these sizes.
  static Address from_bytes(ByteView bytes);

  // Dotted quad or RFC 4291 text, without a zone. Strict: no leading zeros, no spaces.
  static Result<Address> parse(std::string_view text);
  std::string to_string() const;  // RFC 5952.

  Family family() const { return family_; }
  bool is_v4() const { return family_ == Family::V4; }
  unsigned bits() const { return bits_of(family_); }
  ByteView bytes() const { return {bytes_.data(), is_v4() ? 4u : 16u}; }
  bool bit(unsigned index) const { return (bytes_[index / 8] >> (7 - index % 8)) & 1; }

  bool is_unspecified() const { return *this == any(family_); }
  bool is_loopback() const;
  bool is_link_local() const;
  bool is_multicast() const;
  // Not reachable from the internet at large: RFC 1918, RFC 6598, RFC 4193, loopback, link-local.
  bool is_private() const;

  // The address `count` further on. Wraps at the end of the family.
  Address plus(std::uint64_t count) const;

  friend auto operator<=>(const Address&, const Address&) = default;

 private:
  Family family_ = Family::V4;
  std::array<std::uint8_t, 16> bytes_{};  // IPv4 uses the first four; the rest stay zero.
};

}  // namespace ginnel::net

template <>
struct std::hash<ginnel::net::Address> {
  std::size_t operator()(const ginnel::net::Address& address) const noexcept;
};

// An address range in CIDR form. A Prefix that exists has no host bits.
#pragma once

#include "net/address.h"

namespace ginnel::net {

class Prefix {
 public:
  Prefix() = default;  // 0.0.0.0/0

  // Clears the bits behind `length`. REQUIRES: length <= address.bits().
  static Prefix masking(const Address& address, unsigned length);
  static Prefix host(const Address& address) { return masking(address, address.bits()); }

  // "ADDRESS/LENGTH" or "ADDRESS" (one host). Host bits are an error that names the prefix meant.
  static Result<Prefix> parse(std::string_view text);
  // The same, but clears host bits, as `wg` and the kernel do.
  static Result<Prefix> parse_masking(std::string_view text);
  std::string to_string() const;

  const Address& address() const { return address_; }
  unsigned length() const { return length_; }
  Family family() const { return address_.family(); }
  bool is_host() const { return length_ == address_.bits(); }

  bool contains(const Address& address) const;
  bool contains(const Prefix& other) const;
  bool overlaps(const Prefix& other) const { return contains(other) || other.contains(*this); }
  // The last address of the range (the broadcast address of an IPv4 subnet).
  Address last() const;

  friend auto operator<=>(const Prefix&, const Prefix&) = default;

 private:
  Address address_;
  std::uint8_t length_ = 0;
};

// An address together with its subnet, as an interface holds it: 10.0.0.5/24.
struct InterfaceAddress {
  Address address;
  unsigned length = 0;

  // A missing length means a single host.
  static Result<InterfaceAddress> parse(std::string_view text);
  std::string to_string() const;
  Prefix subnet() const { return Prefix::masking(address, length); }
  friend auto operator<=>(const InterfaceAddress&, const InterfaceAddress&) = default;
};

}  // namespace ginnel::net

// Where a UDP datagram comes from or goes to.
#pragma once

#include "net/address.h"

namespace ginnel::net {

struct Endpoint {
  Address address;
  std::uint16_t port = 0;
  std::uint32_t scope = 0;  // Interface index of a link-local IPv6 address; 0 otherwise.

  // "192.0.2.1:51820" or "[2001:db8::1]:51820"; the scope as "[fe80::1%2]:51820", numeric. Host
  // names are not looked up here. The port is required.
  static Result<Endpoint> parse(std::string_view text);
  std::string to_string() const;

  friend auto operator<=>(const Endpoint&, const Endpoint&) = default;
};

// The two ends of the way a datagram took: whom it came from and which of our addresses it was sent
// to, so that the answer leaves from there (a host with several addresses would otherwise pick
// another, and the peer's NAT or firewall would drop it). `local` is unspecified when unknown.
struct PathAddress {
  Endpoint remote;
  Address local;
  std::uint32_t interface = 0;  // The index it came in on; 0 when unknown.

  friend bool operator==(const PathAddress&, const PathAddress&) = default;
};

}  // namespace ginnel::net

template <>
struct std::hash<ginnel::net::Endpoint> {
  std::size_t operator()(const ginnel::net::Endpoint& endpoint) const noexcept {
    return std::hash<ginnel::net::Address>()(endpoint.address) * 31 + endpoint.port +
           std::size_t{endpoint.scope} * 65537u;
  }
};

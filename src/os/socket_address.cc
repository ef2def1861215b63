#include "os/socket_address.h"

#include "base/check.h"

namespace ginnel::os {

void allow_missing_address(int fd, net::Family family) {
  const int on = 1;
  if (family == net::Family::V4) {
    setsockopt(fd, IPPROTO_IP, IP_FREEBIND, &on, sizeof on);
  } else {
    setsockopt(fd, IPPROTO_IPV6, IPV6_FREEBIND, &on, sizeof on);
  }
}

net::Address from_in_addr(const in_addr& address) {
  return net::Address::v4(std::bit_cast<std::array<std::uint8_t, 4>>(address.s_addr));
}

net::Address from_in6_addr(const in6_addr& address) {
  return net::Address::v6(std::to_array(address.s6_addr));
}

in_addr to_in_addr(const net::Address& address) {
  CHECK(address.is_v4());
  in_addr out;
  std::memcpy(&out, address.bytes().data(), sizeof out);
  return out;
}

in6_addr to_in6_addr(const net::Address& address) {
  CHECK(!address.is_v4());
  in6_addr out;
  std::memcpy(&out, address.bytes().data(), sizeof out);
  return out;
}

socklen_t to_socket_address(const net::Endpoint& endpoint, SocketAddress& out) {
  if (endpoint.address.is_v4()) {
    out.v4 = {.sin_family = AF_INET,
              .sin_port = htons(endpoint.port),
              .sin_addr = to_in_addr(endpoint.address),
              .sin_zero = {}};
    return sizeof out.v4;
  }
  out.v6 = {.sin6_family = AF_INET6,
            .sin6_port = htons(endpoint.port),
            .sin6_flowinfo = 0,
            .sin6_addr = to_in6_addr(endpoint.address),
            .sin6_scope_id = endpoint.scope};
  return sizeof out.v6;
}

net::Endpoint from_socket_address(const SocketAddress& address) {
  if (address.base.sa_family == AF_INET) {
    return {from_in_addr(address.v4.sin_addr), ntohs(address.v4.sin_port), 0};
  }
  CHECK(address.base.sa_family == AF_INET6);
  return {from_in6_addr(address.v6.sin6_addr), ntohs(address.v6.sin6_port),
          address.v6.sin6_scope_id};
}

}  // namespace ginnel::os

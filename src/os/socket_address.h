// Endpoints in the shape that socket calls take. For the files of os/ that make such calls.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include "net/endpoint.h"

namespace ginnel::os {

// Room for an address of either family.
union SocketAddress {
  sockaddr base;
  sockaddr_in v4;
  sockaddr_in6 v6;
};

constexpr int socket_family(net::Family family) {
  return family == net::Family::V4 ? AF_INET : AF_INET6;
}

// Fills `out`; returns how many bytes of it count.
socklen_t to_socket_address(const net::Endpoint& endpoint, SocketAddress& out);

// REQUIRES: an address of one of the two families, as the kernel gives it.
net::Endpoint from_socket_address(const SocketAddress& address);

// Lets the socket be bound to an address that no interface has yet, or that is not usable yet:
// IPv6's are for a moment after they were made. Where the kernel cannot, binding fails as ever.
void allow_missing_address(int fd, net::Family family);

net::Address from_in_addr(const in_addr& address);
net::Address from_in6_addr(const in6_addr& address);
// REQUIRES: the right family.
in_addr to_in_addr(const net::Address& address);
in6_addr to_in6_addr(const net::Address& address);

}  // namespace ginnel::os

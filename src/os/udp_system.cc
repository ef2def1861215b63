#include "os/udp_system.h"

#include <errno.h>

#include "os/fd.h"
#include "os/socket_address.h"

namespace ginnel::os {

int LinuxUdpSystem::send_messages(int fd, mmsghdr* messages, unsigned count) {
  const int sent = sendmmsg(fd, messages, count, MSG_DONTWAIT);
  return sent >= 0 ? sent : -errno;
}

int LinuxUdpSystem::receive_messages(int fd, mmsghdr* messages, unsigned count) {
  const int received = recvmmsg(fd, messages, count, MSG_DONTWAIT, nullptr);
  return received >= 0 ? received : -errno;
}

unsigned LinuxUdpSystem::mtu_of(const Route& route) {
  const net::Family family = route.remote.address.family();
  const Fd probe(socket(socket_family(family), SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!probe) return 0;
  if (route.fwmark != 0 &&
      setsockopt(probe.get(), SOL_SOCKET, SO_MARK, &route.fwmark, sizeof route.fwmark) != 0) {
    return 0;
  }
  if (!route.interface.empty() &&
      setsockopt(probe.get(), SOL_SOCKET, SO_BINDTODEVICE, route.interface.c_str(),
                 static_cast<socklen_t>(route.interface.size())) != 0) {
    return 0;
  }
  // Connecting a UDP socket sends nothing; it only looks the route up.
  SocketAddress remote;
  const socklen_t length = to_socket_address(route.remote, remote);
  if (connect(probe.get(), &remote.base, length) != 0) return 0;
  int mtu = 0;
  socklen_t size = sizeof mtu;
  const bool is_v4 = family == net::Family::V4;
  if (getsockopt(probe.get(), is_v4 ? IPPROTO_IP : IPPROTO_IPV6, is_v4 ? IP_MTU : IPV6_MTU, &mtu,
                 &size) != 0) {
    return 0;
  }
  return mtu > 0 ? static_cast<unsigned>(mtu) : 0;
}

}  // namespace ginnel::os

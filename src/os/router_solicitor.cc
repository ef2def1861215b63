#include "os/router_solicitor.h"

#include <errno.h>
#include <fmt/format.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "os/os_error.h"

namespace ginnel::os {
namespace {

constexpr int kHops = 255;  // Routers ignore every other: it proves that the sender is on the link.

}  // namespace

Result<RouterSolicitor> RouterSolicitor::open() {
  Fd fd(::socket(AF_INET6, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_ICMPV6));
  if (!fd) return os_fail("open a socket for router solicitations", errno);
  icmp6_filter nothing;
  ICMP6_FILTER_SETBLOCKALL(&nothing);
  if (::setsockopt(fd.get(), IPPROTO_ICMPV6, ICMP6_FILTER, &nothing, sizeof nothing) != 0 ||
      ::setsockopt(fd.get(), IPPROTO_IPV6, IPV6_MULTICAST_HOPS, &kHops, sizeof kHops) != 0) {
    return os_fail("prepare a socket for router solicitations", errno);
  }
  return RouterSolicitor(std::move(fd));
}

Status RouterSolicitor::solicit(std::uint32_t interface_index) {
  nd_router_solicit message{};  // The kernel makes its checksum.
  message.nd_rs_type = ND_ROUTER_SOLICIT;
  sockaddr_in6 all_routers{};
  all_routers.sin6_family = AF_INET6;
  all_routers.sin6_scope_id = interface_index;
  all_routers.sin6_addr.s6_addr[0] = 0xff;
  all_routers.sin6_addr.s6_addr[1] = 0x02;
  all_routers.sin6_addr.s6_addr[15] = 0x02;
  const ssize_t sent =
      ::sendto(fd_.get(), &message, sizeof message, 0,
               reinterpret_cast<const sockaddr*>(&all_routers), sizeof all_routers);
  if (sent < 0) {
    return os_fail(fmt::format("ask for routers on interface {}", interface_index), errno);
  }
  return ok();
}

}  // namespace ginnel::os

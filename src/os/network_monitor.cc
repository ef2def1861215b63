#include "os/network_monitor.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <algorithm>

#include "os/netlink_attribute.h"
#include "os/netlink_socket.h"
#include "os/os_error.h"
#include "os/rtnetlink_parse.h"

namespace ginnel::os {
namespace {

constexpr int kGroups[] = {RTNLGRP_LINK,       RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR,
                           RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE,  RTNLGRP_IPV4_RULE,
                           RTNLGRP_IPV6_RULE};
// Datagrams taken in one read, so that a host whose routes never rest cannot hold its caller.
constexpr int kMaxDatagrams = 16 * 1024;
// Room for some thousand changes at once, as when a routing daemon starts.
constexpr int kReceiveBufferBytes = 2 * 1024 * 1024;

std::optional<NetworkEvent> event_of(const nlmsghdr& message) {
  const std::size_t size = mnl_nlmsg_get_payload_len(&message);
  switch (message.nlmsg_type) {
    case RTM_NEWLINK:
    case RTM_DELLINK: {
      if (size < sizeof(ifinfomsg)) return std::nullopt;
      const auto link = parse_link(message);
      // A bridge reports ports that leave it as deleted links of its own family.
      const auto& fixed = *static_cast<const ifinfomsg*>(mnl_nlmsg_get_payload(&message));
      if (!link || fixed.ifi_family != AF_UNSPEC) return std::nullopt;
      return NetworkEvent{.kind = message.nlmsg_type == RTM_DELLINK
                                      ? NetworkEvent::Kind::LinkRemoved
                                      : NetworkEvent::Kind::LinkChanged,
                          .index = link->index,
                          .interface = link->name};
    }
    case RTM_NEWADDR:
    case RTM_DELADDR: {
      if (size < sizeof(ifaddrmsg)) return std::nullopt;
      const auto& fixed = *static_cast<const ifaddrmsg*>(mnl_nlmsg_get_payload(&message));
      return NetworkEvent{.kind = NetworkEvent::Kind::AddressChanged, .index = fixed.ifa_index};
    }
    case RTM_NEWROUTE:
    case RTM_DELROUTE:
      return NetworkEvent{.kind = NetworkEvent::Kind::RouteChanged};
    case RTM_NEWRULE:
    case RTM_DELRULE:
      return NetworkEvent{.kind = NetworkEvent::Kind::RuleChanged};
    default:
      return std::nullopt;
  }
}

}  // namespace

NetworkMonitor::NetworkMonitor(Fd fd) : fd_(std::move(fd)), buffer_(kMaxNetlinkMessage) {}

Result<NetworkMonitor> NetworkMonitor::open() {
  Fd fd(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE));
  if (!fd) return os_fail("open a netlink socket", errno);
  sockaddr_nl local{};
  local.nl_family = AF_NETLINK;
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&local), sizeof local) != 0) {
    return os_fail("bind a netlink socket", errno);
  }
  if (::setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUFFORCE, &kReceiveBufferBytes, sizeof(int)) != 0) {
    ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUF, &kReceiveBufferBytes, sizeof(int));
  }
  for (int group : kGroups) {
    if (::setsockopt(fd.get(), SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof group) != 0) {
      return os_fail("watch the host's interfaces and routes", errno);
    }
  }
  return NetworkMonitor(std::move(fd));
}

Result<std::vector<NetworkEvent>> NetworkMonitor::read() {
  std::vector<NetworkEvent> events;
  bool overrun = false;
  for (int i = 0; i < kMaxDatagrams; ++i) {
    sockaddr_nl from{};
    socklen_t from_size = sizeof from;
    const ssize_t size = ::recvfrom(fd_.get(), buffer_.data(), buffer_.size(), MSG_TRUNC,
                                    reinterpret_cast<sockaddr*>(&from), &from_size);
    if (size < 0 && errno == EAGAIN) break;
    if (size < 0 && errno == EINTR) continue;
    if (size < 0 && errno == ENOBUFS) {
      overrun = true;
      continue;
    }
    if (size < 0) return os_fail("watch the host's interfaces and routes", errno);
    if (from.nl_pid != 0) continue;  // Only the kernel's word counts.
    const auto length = static_cast<std::size_t>(size);
    overrun |= length > buffer_.size();
    for_each_message(ByteView(buffer_.data(), std::min(length, buffer_.size())),
                     [&](const nlmsghdr& message) {
                       auto event = event_of(message);
                       if (!event || std::ranges::find(events, *event) != events.end()) return;
                       if (events.size() < kMaxEvents) {
                         events.push_back(std::move(*event));
                       } else {
                         overrun = true;
                       }
                     });
  }
  if (overrun) events = {{.kind = NetworkEvent::Kind::Resync}};
  return events;
}

}  // namespace ginnel::os

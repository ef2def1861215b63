#include "os/socket_table.h"

#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include <cstring>

#include "os/netlink_request.h"
#include "os/netlink_socket.h"
#include "os/socket_address.h"

namespace ginnel::os {
namespace {

constexpr std::uint32_t kWantedStates = (1u << TCP_ESTABLISHED) | (1u << TCP_LISTEN);

net::Endpoint endpoint_of(std::uint8_t family, const __be32 (&address)[4], __be16 port) {
  if (family == AF_INET) {
    return {.address = from_in_addr({.s_addr = address[0]}), .port = ntohs(port)};
  }
  in6_addr v6{};
  std::memcpy(&v6, address, sizeof v6);
  if (!IN6_IS_ADDR_V4MAPPED(&v6)) return {.address = from_in6_addr(v6), .port = ntohs(port)};
  in_addr v4{};
  std::memcpy(&v4, &v6.s6_addr[12], sizeof v4);
  return {.address = from_in_addr(v4), .port = ntohs(port)};
}

Status list_family(NetlinkSocket& netlink, int family, std::vector<hostnet::TcpSocket>& sockets) {
  NetlinkRequest request(SOCK_DIAG_BY_FAMILY, NLM_F_DUMP);
  auto& fixed = request.fixed<inet_diag_req_v2>();
  fixed.sdiag_family = static_cast<std::uint8_t>(family);
  fixed.sdiag_protocol = IPPROTO_TCP;
  fixed.idiag_states = kWantedStates;
  const std::size_t before = sockets.size();
  return netlink.dump(
      request.message(), "list TCP sockets", [&] { sockets.resize(before); },
      [&](const nlmsghdr& message) {
        if (mnl_nlmsg_get_payload_len(&message) < sizeof(inet_diag_msg)) return;
        const auto& found = *static_cast<const inet_diag_msg*>(mnl_nlmsg_get_payload(&message));
        sockets.push_back(
            {.local = endpoint_of(found.idiag_family, found.id.idiag_src, found.id.idiag_sport),
             .remote = endpoint_of(found.idiag_family, found.id.idiag_dst, found.id.idiag_dport),
             .listens = found.idiag_state == TCP_LISTEN});
      });
}

}  // namespace

Result<std::vector<hostnet::TcpSocket>> list_tcp_sockets() {
  auto netlink = NetlinkSocket::open(NETLINK_SOCK_DIAG);
  if (!netlink) return pass(std::move(netlink));
  std::vector<hostnet::TcpSocket> sockets;
  for (const int family : {AF_INET, AF_INET6}) {
    if (Status listed = list_family(*netlink, family, sockets); !listed) {
      return pass(std::move(listed));
    }
  }
  return sockets;
}

}  // namespace ginnel::os

#include "os/connection_table.h"

#include <arpa/inet.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_conntrack_tcp.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>

#include "os/netlink_attribute.h"
#include "os/netlink_request.h"
#include "os/netlink_socket.h"
#include "os/socket_address.h"

namespace ginnel::os {
namespace {

// Five days, as the kernel keeps a connection of which nothing is heard.
constexpr std::uint32_t kLiveSeconds = 432'000;
// It was answered, and is not to be given up for newer ones. The kernel makes none but confirmed
// ones, and wants to hear it.
constexpr std::uint32_t kLiveStatus = IPS_CONFIRMED | IPS_SEEN_REPLY | IPS_ASSURED;
constexpr std::uint16_t kNew = (NFNL_SUBSYS_CTNETLINK << 8) | IPCTNL_MSG_CT_NEW;
constexpr std::uint16_t kGet = (NFNL_SUBSYS_CTNETLINK << 8) | IPCTNL_MSG_CT_GET;
constexpr std::uint16_t kDelete = (NFNL_SUBSYS_CTNETLINK << 8) | IPCTNL_MSG_CT_DELETE;

void put_header(NetlinkRequest& request, std::uint8_t family) {
  auto& fixed = request.fixed<nfgenmsg>();
  fixed.nfgen_family = family;
  fixed.version = NFNETLINK_V0;
}

void put_port(NetlinkRequest& request, std::uint16_t type, std::uint16_t port) {
  std::array<std::uint8_t, 2> bytes{};
  store<Be16>(ByteSpan(bytes), port);
  request.put(type, bytes);
}

void put_way(NetlinkRequest& request, std::uint16_t which, const net::Endpoint& from,
             const net::Endpoint& to) {
  const bool v4 = from.address.is_v4();
  request.put_nested(which, [&] {
    request.put_nested(CTA_TUPLE_IP, [&] {
      request.put(v4 ? CTA_IP_V4_SRC : CTA_IP_V6_SRC, from.address.bytes());
      request.put(v4 ? CTA_IP_V4_DST : CTA_IP_V6_DST, to.address.bytes());
    });
    request.put_nested(CTA_TUPLE_PROTO, [&] {
      const std::uint8_t protocol = IPPROTO_TCP;
      request.put(CTA_PROTO_NUM, {&protocol, 1});
      put_port(request, CTA_PROTO_SRC_PORT, from.port);
      put_port(request, CTA_PROTO_DST_PORT, to.port);
    });
  });
}

// Its sequence numbers are not known: what comes next tells them, and is not held against it.
void put_live_state(NetlinkRequest& request) {
  request.put_number(CTA_TIMEOUT, htonl(kLiveSeconds));
  request.put_number(CTA_STATUS, htonl(kLiveStatus));
  request.put_nested(CTA_PROTOINFO, [&] {
    request.put_nested(CTA_PROTOINFO_TCP, [&] {
      const std::uint8_t state = TCP_CONNTRACK_ESTABLISHED;
      const std::array<std::uint8_t, 2> liberal = {IP_CT_TCP_FLAG_BE_LIBERAL,
                                                   IP_CT_TCP_FLAG_BE_LIBERAL};
      request.put(CTA_PROTOINFO_TCP_STATE, {&state, 1});
      request.put(CTA_PROTOINFO_TCP_FLAGS_ORIGINAL, liberal);
      request.put(CTA_PROTOINFO_TCP_FLAGS_REPLY, liberal);
    });
  });
}

void put_mark(NetlinkRequest& request, const hostnet::MarkBits& mark) {
  request.put_number(CTA_MARK, htonl(mark.value));
  request.put_number(CTA_MARK_MASK, htonl(mark.mask));
}

std::uint8_t family_number(const hostnet::LiveSession& session) {
  return static_cast<std::uint8_t>(socket_family(session.remote.address.family()));
}

bool starts_from(ByteView way, const net::Endpoint& endpoint) {
  bool same_address = false;
  bool same_port = false;
  for_each_attribute(way, [&](int type, ByteView part) {
    for_each_attribute(part, [&](int field, ByteView value) {
      const bool is_source = field == CTA_IP_V4_SRC || field == CTA_IP_V6_SRC;
      if (type == CTA_TUPLE_IP && is_source) {
        same_address = std::ranges::equal(value, endpoint.address.bytes());
      }
      if (type == CTA_TUPLE_PROTO && field == CTA_PROTO_SRC_PORT) {
        same_port = read_number<std::uint16_t>(value) == htons(endpoint.port);
      }
    });
  });
  return same_address && same_port;
}

// Whether the kernel takes it for one that was opened here. It does when it began to look in the
// middle, and we spoke first. It is looked for by its answers, whose addresses are those of the
// socket also where its questions are sent to another address and translated.
Result<bool> is_reversed(NetlinkSocket& socket, const hostnet::LiveSession& session) {
  NetlinkRequest request(kGet);
  put_header(request, family_number(session));
  put_way(request, CTA_TUPLE_REPLY, session.local, session.remote);
  bool reversed = false;
  Status asked =
      socket.query(request.message(), "look up a live connection", [&](const nlmsghdr& message) {
        for_each_attribute(attributes_behind(message, sizeof(nfgenmsg)),
                           [&](int type, ByteView way) {
                             if (type == CTA_TUPLE_ORIG) reversed = starts_from(way, session.local);
                           });
      });
  if (!asked) return pass(std::move(asked));
  return reversed;
}

Status add(NetlinkSocket& socket, const hostnet::LiveSession& session) {
  NetlinkRequest request(kNew, NLM_F_CREATE | NLM_F_EXCL);
  put_header(request, family_number(session));
  put_way(request, CTA_TUPLE_ORIG, session.remote, session.local);
  put_way(request, CTA_TUPLE_REPLY, session.local, session.remote);
  put_live_state(request);
  put_mark(request, session.mark);
  return socket.request(request.message(), "remember a live connection");
}

Status mark(NetlinkSocket& socket, const hostnet::LiveSession& session) {
  NetlinkRequest request(kNew);
  put_header(request, family_number(session));
  put_way(request, CTA_TUPLE_REPLY, session.local, session.remote);
  put_mark(request, session.mark);
  return socket.request(request.message(), "mark a live connection");
}

Status remember(NetlinkSocket& socket, const hostnet::LiveSession& session) {
  const auto reversed = is_reversed(socket, session);
  if (!reversed && reversed.error().code != ErrorCode::NotFound) {
    return std::unexpected(reversed.error());
  }
  if (reversed && !*reversed) return mark(socket, session);
  if (reversed) {
    NetlinkRequest request(kDelete);
    put_header(request, family_number(session));
    put_way(request, CTA_TUPLE_ORIG, session.local, session.remote);
    Status deleted = socket.request(request.message(), "forget a live connection");
    if (!deleted && deleted.error().code != ErrorCode::NotFound) return deleted;
  }
  return add(socket, session);
}

// A kernel that tracks none.
bool is_missing(const Error& error) {
  return error.code == ErrorCode::NotFound || error.code == ErrorCode::Unsupported ||
         error.code == ErrorCode::InvalidArgument;
}

}  // namespace

Status remember_connections(const std::vector<hostnet::LiveSession>& sessions) {
  if (sessions.empty()) return ok();
  auto socket = NetlinkSocket::open(NETLINK_NETFILTER);
  if (!socket) return pass(std::move(socket));
  Status all = ok();
  for (const hostnet::LiveSession& session : sessions) {
    Status done = remember(*socket, session);
    if (!done && !is_missing(done.error())) all = std::move(done);
  }
  return all;
}

Status forget_connections_without(std::uint32_t mark_bits) {
  auto socket = NetlinkSocket::open(NETLINK_NETFILTER);
  if (!socket) return pass(std::move(socket));
  NetlinkRequest request(kDelete);
  put_header(request, AF_UNSPEC);
  // A filter, because no single connection is named: those whose masked mark is 0.
  request.put_number(CTA_MARK, htonl(0));
  request.put_number(CTA_MARK_MASK, htonl(mark_bits));
  Status flushed = socket->request(request.message(), "forget live connections");
  return !flushed && is_missing(flushed.error()) ? ok() : flushed;
}

}  // namespace ginnel::os

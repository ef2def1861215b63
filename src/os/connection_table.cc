#include "os/connection_table.h"

#include <arpa/inet.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netlink.h>
#include <sys/socket.h>

#include <array>

#include "os/netlink_request.h"
#include "os/netlink_socket.h"

namespace ginnel::os {

Status forget_connections_without(std::uint32_t mark_bits) {
  auto socket = NetlinkSocket::open(NETLINK_NETFILTER);
  if (!socket) return pass(std::move(socket));
  NetlinkRequest request((NFNL_SUBSYS_CTNETLINK << 8) | IPCTNL_MSG_CT_DELETE);
  auto& fixed = request.fixed<nfgenmsg>();
  fixed.nfgen_family = AF_UNSPEC;
  fixed.version = NFNETLINK_V0;
  // A filter, because no single connection is named: those whose masked mark is 0.
  request.put_number(CTA_MARK, htonl(0));
  request.put_number(CTA_MARK_MASK, htonl(mark_bits));
  Status flushed = socket->request(request.message(), "forget live connections");
  const bool no_tracking = !flushed && (flushed.error().code == ErrorCode::NotFound ||
                                        flushed.error().code == ErrorCode::Unsupported ||
                                        flushed.error().code == ErrorCode::InvalidArgument);
  return no_tracking ? ok() : flushed;
}

}  // namespace ginnel::os

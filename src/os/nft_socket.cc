#include "os/nft_socket.h"

#include <errno.h>
#include <linux/netlink.h>

namespace ginnel::os {

Result<NftSocket> NftSocket::open() {
  auto netlink = NetlinkSocket::open(NETLINK_NETFILTER);
  if (!netlink) return pass(std::move(netlink));
  return NftSocket(std::move(*netlink));
}

Status NftSocket::commit(NftBatch batch) {
  if (batch.empty()) return ok();
  const ByteView messages = batch.finish();
  auto refusals = netlink_.transact(messages, batch.acknowledged());
  if (!refusals) return pass(std::move(refusals));
  if (refusals->empty()) return ok();
  // One refusal undoes the whole; the first is the cause, later ones follow from it.
  const NetlinkRefusal& first = refusals->front();
  return std::unexpected(first.error(batch.object(first.sequence)));
}

}  // namespace ginnel::os

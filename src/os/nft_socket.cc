#include "os/nft_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <sys/socket.h>

#include "os/os_error.h"

namespace ginnel::os {

Result<NftSocket> NftSocket::open() {
  auto netlink = NetlinkSocket::open(NETLINK_NETFILTER);
  if (!netlink) return pass(std::move(netlink));
  return NftSocket(std::move(*netlink));
}

Result<NftSocket> NftSocket::adopt(Fd fd) {
  auto netlink = NetlinkSocket::adopt(std::move(fd));
  if (!netlink) return pass(std::move(netlink));
  return NftSocket(std::move(*netlink));
}

Result<Fd> NftSocket::duplicate(const Fd& descriptor) {
  Fd copy(::fcntl(descriptor.get(), F_DUPFD_CLOEXEC, 0));
  if (!copy) return os_fail("duplicate a netlink socket", errno);
  return copy;
}

std::uint32_t NftSocket::port_of(const Fd& descriptor) {
  sockaddr_nl local{};
  socklen_t size = sizeof local;
  auto* const generic = reinterpret_cast<sockaddr*>(&local);
  return ::getsockname(descriptor.get(), generic, &size) == 0 ? local.nl_pid : 0;
}

// By a transaction that comes to nothing.
Result<bool> NftSocket::knows_owned_tables() {
  const hostnet::nft::Table probe{.name = "ginnel-probe", .owned = true};
  NftBatch batch;
  if (Status added = batch.add_table(probe); !added) return pass(std::move(added));
  batch.delete_table(probe.family, probe.name);
  const Status committed = commit(std::move(batch));
  if (committed) return true;
  const ErrorCode code = committed.error().code;
  if (code == ErrorCode::PermissionDenied) return std::unexpected(committed.error());
  return false;
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

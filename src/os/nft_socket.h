// The conversation with nf_tables. A table that is to be owned lives as long as its socket, so all
// changes of one owner go through one of these.
#pragma once

#include "os/netlink_socket.h"
#include "os/nft_compile.h"

namespace ginnel::os {

class NftSocket {
 public:
  static Result<NftSocket> open();
  // Takes the descriptor of another process over: the tables that it owns are ours to change.
  static Result<NftSocket> adopt(Fd fd);
  // Another descriptor of the same socket: the tables stay owned as long as one is open.
  Result<Fd> duplicate() const { return duplicate(netlink_.descriptor()); }
  static Result<Fd> duplicate(const Fd& descriptor);
  // Of the socket of a descriptor: what the kernel names the owner of a table by. 0: it has none.
  static std::uint32_t port_of(const Fd& descriptor);

  // Whether the kernel has tables that only their owner can change and that outlive it (6.9).
  Result<bool> knows_owned_tables();

  // All of the batch takes effect at one moment, or nothing of it. An empty batch does nothing.
  Status commit(NftBatch batch);

  // For os/nft_list.h.
  NetlinkSocket& netlink() { return netlink_; }

 private:
  explicit NftSocket(NetlinkSocket netlink) : netlink_(std::move(netlink)) {}
  NetlinkSocket netlink_;
};

}  // namespace ginnel::os

#include "os/nft_monitor.h"

#include <errno.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <sys/socket.h>

#include <array>

#include "os/os_error.h"

namespace ginnel::os {

// Datagrams taken in one call, so that one who never rests cannot hold the caller.
constexpr int kMaxDatagrams = 4096;

Result<NftMonitor> NftMonitor::open() {
  Fd fd(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_NETFILTER));
  if (!fd) return os_fail("open a netlink socket", errno);
  sockaddr_nl local{};
  local.nl_family = AF_NETLINK;
  const int group = NFNLGRP_NFTABLES;
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&local), sizeof local) != 0 ||
      ::setsockopt(fd.get(), SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof group) != 0) {
    return os_fail("watch nftables", errno);
  }
  return NftMonitor(std::move(fd));
}

bool NftMonitor::take_change() {
  bool changed = false;
  std::array<std::uint8_t, 64> start;  // What exactly happened does not matter.
  for (int i = 0; i < kMaxDatagrams; ++i) {
    if (::recv(fd_.get(), start.data(), start.size(), 0) >= 0 || errno == ENOBUFS) {
      changed = true;
    } else if (errno != EINTR) {
      break;
    }
  }
  return changed;
}

}  // namespace ginnel::os

// The kernel's answers about its WireGuard devices. The kernel is trusted to be right, but whatever
// its lengths say, nothing outside the datagram is read and the limits hold; and what was read can
// be said again, in messages of our own, and is read back as the same.
#include <linux/genetlink.h>

#include "base/check.h"
#include "os/netlink_attribute.h"
#include "os/wireguard_message.h"

namespace ginnel::os {
namespace {

constexpr std::size_t kMaxPeers = 64;
constexpr std::size_t kMaxAllowedIps = 256;

WireguardChange change_of(const WireguardState& state) {
  WireguardChange change{.private_key = state.private_key.expose(),
                         .listen_port = state.listen_port,
                         .fwmark = state.fwmark,
                         .replace_peers = true};
  for (const WireguardPeerState& peer : state.peers) {
    change.peers.push_back({.public_key = peer.public_key,
                            .preshared_key = peer.preshared_key.expose(),
                            .endpoint = peer.endpoint,
                            .persistent_keepalive_seconds = peer.persistent_keepalive_seconds,
                            .allowed_ips = peer.allowed_ips,
                            .replace_allowed_ips = true});
  }
  return change;
}

void check_same(const WireguardState& a, const WireguardState& b) {
  CHECK(std::ranges::equal(a.private_key.expose(), b.private_key.expose()));
  CHECK(a.listen_port == b.listen_port && a.fwmark == b.fwmark);
  CHECK(a.peers.size() == b.peers.size());
  for (std::size_t i = 0; i < a.peers.size(); ++i) {
    const WireguardPeerState& one = a.peers[i];
    const WireguardPeerState& other = b.peers[i];
    CHECK(one.public_key == other.public_key && one.endpoint == other.endpoint);
    CHECK(std::ranges::equal(one.preshared_key.expose(), other.preshared_key.expose()));
    CHECK(one.persistent_keepalive_seconds == other.persistent_keepalive_seconds);
    CHECK(one.allowed_ips == other.allowed_ips);
  }
}

// A fuzzer's input is a block of memory of its own: as aligned as a receive buffer, and no byte may
// be read behind it.
void read(ByteView datagram) {
  WireguardReader reader(kMaxPeers, kMaxAllowedIps);
  for_each_message(datagram, [&](const nlmsghdr& message) { reader.read(message); });
  const auto state = reader.take();
  if (!state) return;
  CHECK(state->peers.size() <= kMaxPeers);
  WireguardReader again(kMaxPeers, kMaxAllowedIps);
  const Status made = for_each_wireguard_message(GENL_MIN_ID, "wg0", change_of(*state),
                                                 [&](const nlmsghdr& message) {
                                                   CHECK(message.nlmsg_len <= kMaxWireguardMessage);
                                                   again.read(message);
                                                   return ok();
                                                 });
  CHECK(made);
  const auto read_again = again.take();
  CHECK(read_again);
  check_same(*state, *read_again);
}

}  // namespace
}  // namespace ginnel::os

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  ginnel::os::read({data, size});
  return 0;
}

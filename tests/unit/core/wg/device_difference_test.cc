#include "core/wg/device_difference.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "support/seeded_rng.h"

namespace ginnel::wg {
namespace {

crypto::PublicKey key(std::uint8_t n) {
  std::array<std::uint8_t, crypto::kKeySize> bytes{n};
  return crypto::PublicKey(bytes);
}
crypto::PresharedKey psk(std::uint8_t n) {
  std::array<std::uint8_t, crypto::kKeySize> bytes{n};
  return crypto::PresharedKey(bytes);
}
net::Prefix prefix(unsigned n) {
  return net::Prefix::parse(fmt::format("10.{}.0.0/16", n)).value();
}
net::Endpoint endpoint(unsigned n) {
  return {net::Address::parse("192.0.2.1").value(), static_cast<std::uint16_t>(n)};
}

std::string text_of(const PeerStatus& peer) {
  std::vector<std::string> allowed;
  allowed.reserve(peer.allowed_ips.size());
  for (const net::Prefix& one : peer.allowed_ips) allowed.push_back(one.to_string());
  std::ranges::sort(allowed);
  return fmt::format("{} psk {} at {} every {}: {}\n", peer.public_key.to_hex(),
                     peer.preshared_key ? peer.preshared_key->expose_as_hex() : "none",
                     peer.endpoint ? peer.endpoint->to_string() : "nowhere",
                     peer.persistent_keepalive_seconds, fmt::join(allowed, " "));
}
std::string text_of(const DeviceStatus& device) {
  std::string text =
      fmt::format("{} {} {}\n", device.listen_port, device.fwmark,
                  device.private_key ? device.private_key->expose_as_hex() : "no key");
  std::vector<std::string> peers;
  peers.reserve(device.peers.size());
  for (const PeerStatus& peer : device.peers) peers.push_back(text_of(peer));
  std::ranges::sort(peers);
  return text + fmt::format("{}", fmt::join(peers, ""));
}

// What a device does with a change, as device_config.h describes it.
struct Model {
  DeviceStatus status;

  PeerStatus* find(const crypto::PublicKey& wanted) {
    const auto found = std::ranges::find(status.peers, wanted, &PeerStatus::public_key);
    return found == status.peers.end() ? nullptr : &*found;
  }
  void apply(const DeviceChange& change) {
    if (change.private_key) {
      status.private_key.reset();
      if (!change.private_key->is_zero()) status.private_key = change.private_key->duplicate();
    }
    if (change.listen_port) status.listen_port = *change.listen_port;
    if (change.fwmark) status.fwmark = *change.fwmark;
    if (change.replace_peers) status.peers.clear();
    for (const PeerChange& peer : change.peers) apply(peer);
  }
  void apply(const PeerChange& change) {
    if (change.remove) {
      std::erase_if(status.peers,
                    [&](const auto& peer) { return peer.public_key == change.public_key; });
      return;
    }
    PeerStatus* peer = find(change.public_key);
    if (peer == nullptr && change.update_only) return;
    if (peer == nullptr) {
      peer = &status.peers.emplace_back();
      peer->public_key = change.public_key;
    }
    if (change.preshared_key) {
      peer->preshared_key.reset();
      if (!change.preshared_key->is_zero()) {
        peer->preshared_key = change.preshared_key->duplicate();
      }
    }
    if (change.endpoint) peer->endpoint = change.endpoint;
    if (change.persistent_keepalive_seconds) {
      peer->persistent_keepalive_seconds = *change.persistent_keepalive_seconds;
    }
    if (change.replace_allowed_ips) peer->allowed_ips.clear();
    for (const AllowedIpChange& allowed : change.allowed_ips) {
      if (allowed.remove) {
        std::erase(peer->allowed_ips, allowed.prefix);
        continue;
      }
      for (PeerStatus& other : status.peers) std::erase(other.allowed_ips, allowed.prefix);
      peer->allowed_ips.push_back(allowed.prefix);
    }
  }
};

PeerChange random_peer(test::SeededRng& rng) {
  const auto below = [&](unsigned n) { return static_cast<unsigned>(rng.below(n)); };
  PeerChange peer;
  peer.public_key = key(static_cast<std::uint8_t>(1 + below(5)));
  peer.remove = below(6) == 0;
  peer.update_only = below(6) == 0;
  peer.replace_allowed_ips = below(4) == 0;
  if (below(2) == 0) peer.preshared_key = psk(static_cast<std::uint8_t>(below(3)));
  if (below(2) == 0) peer.endpoint = endpoint(1 + below(3));
  if (below(2) == 0) peer.persistent_keepalive_seconds = static_cast<std::uint16_t>(below(3));
  for (unsigned i = below(5); i > 0; --i) {
    peer.allowed_ips.push_back({.prefix = prefix(below(8)), .remove = below(3) == 0});
  }
  return peer;
}

DeviceChange random_change(test::SeededRng& rng) {
  DeviceChange change;
  if (rng.below(3) == 0) change.fwmark = static_cast<std::uint32_t>(rng.below(4));
  if (rng.below(3) == 0) change.listen_port = static_cast<std::uint16_t>(rng.below(4));
  if (rng.below(3) == 0) {
    change.private_key =
        rng.below(2) == 0 ? crypto::PrivateKey() : crypto::PrivateKey(key(7).bytes());
  }
  change.replace_peers = rng.below(8) == 0;
  for (std::uint64_t i = rng.below(6); i > 0; --i) change.peers.push_back(random_peer(rng));
  return change;
}

bool takes_away(const PeerChange& peer) {
  return !peer.remove && std::ranges::any_of(peer.allowed_ips, &AllowedIpChange::remove);
}

DeviceChange duplicate(const DeviceChange& change) {
  DeviceChange copy{.listen_port = change.listen_port,
                    .fwmark = change.fwmark,
                    .replace_peers = change.replace_peers};
  if (change.private_key) copy.private_key = change.private_key->duplicate();
  for (const PeerChange& peer : change.peers) {
    PeerChange& to = copy.peers.emplace_back();
    to.allowed_ips = peer.allowed_ips;
    to.public_key = peer.public_key;
    to.endpoint = peer.endpoint;
    if (peer.preshared_key) to.preshared_key = peer.preshared_key->duplicate();
    to.persistent_keepalive_seconds = peer.persistent_keepalive_seconds;
    to.remove = peer.remove;
    to.update_only = peer.update_only;
    to.replace_allowed_ips = peer.replace_allowed_ips;
  }
  return copy;
}

// Two states that follow from many random changes each.
struct Random {
  explicit Random(std::uint64_t seed) : rng(seed) {
    for (int i = 0; i < 8; ++i) {
      a.apply(random_change(rng));
      b.apply(random_change(rng));
    }
  }
  test::SeededRng rng;
  Model a;
  Model b;
};

TEST(DeviceDifference, LeadsFromAnyStateToAnyOther) {
  for (std::uint64_t seed = 0; seed < 500; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    // A device has no way to forget where a peer is.
    for (PeerStatus& peer : random.b.status.peers) {
      if (!peer.endpoint) peer.endpoint = endpoint(9);
    }
    random.a.apply(difference(random.a.status, random.b.status));
    ASSERT_EQ(text_of(random.a.status), text_of(random.b.status));
  }
}

TEST(DeviceDifference, LeavesPeersAloneThatDoNotDiffer) {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    SCOPED_TRACE(seed);
    const Random random(seed);
    const DeviceChange change = difference(random.a.status, random.a.status);
    EXPECT_TRUE(change.peers.empty());
    EXPECT_FALSE(change.private_key || change.listen_port || change.fwmark || change.replace_peers);
  }
}

TEST(ReplaceRemovals, ComesToTheSameWithoutTakingAnythingAway) {
  std::ptrdiff_t removals = 0;
  for (std::uint64_t seed = 0; seed < 500; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    const DeviceChange change = random_change(random.rng);
    removals += std::ranges::count_if(change.peers, &takes_away);
    DeviceChange without = duplicate(change);
    replace_removals(without, random.a.status);
    for (const PeerChange& peer : without.peers) {
      ASSERT_FALSE(takes_away(peer));
    }
    Model other;
    other.apply(difference(other.status, random.a.status));
    other.apply(without);
    random.a.apply(change);
    ASSERT_EQ(text_of(random.a.status), text_of(other.status));
  }
  EXPECT_GT(removals, 0u);
}

}  // namespace
}  // namespace ginnel::wg

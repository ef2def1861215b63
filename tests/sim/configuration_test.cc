// What changes of configuration do to sessions, and what they must not do.
#include <gtest/gtest.h>

#include "sim/pair.h"

namespace ginnel::sim {
namespace {

using Kind = wg::EngineEvent::Kind;

crypto::PrivateKey key_from(std::uint64_t seed) {
  test::SeededRng rng(seed);
  return crypto::PrivateKey::generate(rng);
}

wg::DeviceChange private_key(crypto::PrivateKey key) {
  wg::DeviceChange change;
  change.private_key = std::move(key);
  return change;
}

crypto::PresharedKey psk_from(std::uint64_t seed) {
  test::SeededRng rng(seed);
  return crypto::PresharedKey::generate(rng);
}

wg::PeerChange psk_of(const SimNode& peer, crypto::PresharedKey psk) {
  wg::PeerChange change{.public_key = peer.public_key()};
  change.preshared_key = std::move(psk);
  return change;
}

// How many datagrams of a type a node has sent since this was made.
struct Counter {
  Counter(Simulation& sim, const SimNode& node, std::uint8_t type) {
    sim.on_datagram = [this, &node, type](const SimNode& from, const net::Endpoint&,
                                          ByteView bytes) {
      if (&from == &node && bytes[0] == type) ++count;
    };
  }
  int count = 0;
};

TEST(PrivateKey, TheSameKeyAgainKeepsTheSessions) {
  Pair pair;
  pair.talk_for(3s);
  wg::DeviceStatus status = pair.a.engine().status();
  pair.sim.configure(pair.a, private_key(std::move(*status.private_key)));
  Counter initiations(pair.sim, pair.a, wg::HandshakeInitiation::kType);
  pair.talk_for(3s);

  EXPECT_EQ(initiations.count, 0);
  EXPECT_EQ(pair.a.delivered.size(), pair.sent);
  EXPECT_EQ(pair.b.delivered.size(), pair.sent);
}

TEST(PrivateKey, AnotherKeyVoidsEverySessionAtOnce) {
  Pair pair;
  pair.talk_for(3s);
  const std::size_t delivered = pair.a.delivered.size();
  pair.sim.configure(pair.a, private_key(key_from(99)));

  EXPECT_EQ(pair.a.tables().sessions.size(), 0u);
  pair.sim.send(pair.b, pair.a, 1);
  pair.sim.run_for(1s);
  EXPECT_EQ(pair.a.delivered.size(), delivered);
  EXPECT_GT(pair.a.drops(wg::Drop::UnknownSession), 0u);
}

TEST(PrivateKey, TheNextPacketAfterAChangeDoesNotWaitForOldHandshakes) {
  Pair pair;
  pair.sim.send(pair.a, pair.b, 1);
  pair.sim.run_for(100ms);
  auto first = std::move(*pair.a.engine().status().private_key);
  pair.sim.configure(pair.a, private_key(key_from(99)));
  pair.sim.configure(pair.a, private_key(std::move(first)));
  pair.sim.send(pair.a, pair.b, 2);

  ASSERT_TRUE(pair.sim.run_until([&] { return pair.b.delivered.size() == 2; }, 1s));
}

TEST(PrivateKey, WhomWeWereAskingIsAskedAgainWithTheNewKey) {
  Pair pair;
  auto right = std::move(*pair.a.engine().status().private_key);
  pair.sim.configure(pair.a, private_key(key_from(99)));  // Nobody knows this one.
  pair.sim.send(pair.a, pair.b, 1);
  pair.sim.run_for(2s);
  EXPECT_TRUE(pair.b.delivered.empty());

  pair.sim.configure(pair.a, private_key(std::move(right)));
  ASSERT_TRUE(pair.sim.run_until([&] { return !pair.b.delivered.empty(); }, 1s));
}

TEST(PrivateKey, WithoutOneNothingIsSentAnsweredOrKept) {
  Pair pair;
  pair.talk_for(3s);
  const std::size_t delivered = pair.b.delivered.size();
  auto right = std::move(*pair.a.engine().status().private_key);
  pair.sim.configure(pair.a, private_key({}));
  int sent = 0;
  pair.sim.on_datagram = [&](const SimNode& from, const net::Endpoint&, ByteView) {
    if (&from == &pair.a) ++sent;
  };
  pair.talk_for(200s);
  EXPECT_EQ(sent, 0);
  EXPECT_FALSE(pair.a.engine().status().public_key);

  pair.sim.configure(pair.a, private_key(std::move(right)));
  pair.sim.run_for(1s);
  EXPECT_EQ(pair.b.delivered.size(), delivered) << "packets of the time without a key are stale";
  pair.sim.send(pair.a, pair.b, 1);
  EXPECT_TRUE(pair.sim.run_until([&] { return pair.b.delivered.size() > delivered; }, 6s));
}

TEST(PrivateKey, APeerWithOurOwnKeyIsDropped) {
  Pair pair;
  auto key = key_from(7);
  wg::PeerChange self{.public_key = key.public_key()};
  pair.sim.configure(pair.a, change_of(std::move(self)));
  EXPECT_EQ(pair.a.engine().peer_count(), 2u);
  pair.sim.configure(pair.a, private_key(key.duplicate()));
  EXPECT_EQ(pair.a.engine().peer_count(), 1u);
  pair.sim.configure(pair.a, change_of({.public_key = key.public_key()}));
  EXPECT_EQ(pair.a.engine().peer_count(), 1u);
}

TEST(PresharedKey, AChangeTakesEffectAtTheNextHandshake) {
  Pair pair;
  pair.talk_for(3s);
  pair.sim.configure(pair.a, change_of(psk_of(pair.b, psk_from(5))));
  pair.talk_for(60s);
  EXPECT_EQ(pair.b.delivered.size(), pair.sent) << "the session of before goes on";
  EXPECT_EQ(pair.a.delivered.size(), pair.sent);

  pair.talk_for(180s);
  EXPECT_LT(pair.b.delivered.size(), pair.sent) << "no new one can be made with one side's key";
  const std::size_t before = pair.b.delivered.size();
  pair.sim.configure(pair.b, change_of(psk_of(pair.a, psk_from(5))));
  pair.talk_for(20s);
  EXPECT_GE(pair.b.delivered.size(), before + 10);
}

TEST(Peers, ReplacingAllWithTheSameOnesStartsAfresh) {
  Pair pair;
  pair.talk_for(3s);
  wg::PeerChange again{.public_key = pair.b.public_key()};
  again.endpoint = pair.sim.endpoint_of(pair.b);
  again.allowed_ips.push_back({.prefix = net::Prefix::host(pair.sim.inner_v4(pair.b))});
  wg::DeviceChange change = change_of(std::move(again));
  change.replace_peers = true;
  pair.sim.configure(pair.a, std::move(change));

  EXPECT_EQ(pair.a.engine().peer_count(), 1u);
  EXPECT_EQ(pair.a.tables().sessions.size(), 0u);
  EXPECT_EQ(pair.a.peer_status(pair.b.public_key()).allowed_ips.size(), 1u);
  const std::size_t before = pair.b.delivered.size();
  pair.sim.send(pair.a, pair.b, 1);
  pair.sim.run_for(6s);
  EXPECT_EQ(pair.b.delivered.size(), before + 1);
}

TEST(Peers, ARemovedPeerThatIsAddedAgainGetsIn) {
  Pair pair;
  pair.talk_for(3s);
  wg::PeerChange removal{.public_key = pair.a.public_key()};
  removal.remove = true;
  pair.sim.configure(pair.b, change_of(std::move(removal)));
  pair.talk_for(3s);
  pair.sim.introduce(pair.a, pair.b, true, true);
  pair.a.delivered.clear();
  pair.b.delivered.clear();
  pair.talk_for(30s);
  EXPECT_GT(pair.a.delivered.size(), 10u);
  EXPECT_GT(pair.b.delivered.size(), 10u);
}

TEST(Peers, UpdateOnlyMakesNoPeer) {
  Pair pair;
  wg::PeerChange change{.public_key = key_from(50).public_key()};
  change.update_only = true;
  change.persistent_keepalive_seconds = 25;
  change.allowed_ips.push_back({.prefix = net::Prefix::parse("10.0.0.2/32").value()});
  pair.sim.configure(pair.a, change_of(std::move(change)));
  EXPECT_EQ(pair.a.engine().peer_count(), 1u);
  pair.sim.send(pair.a, pair.b, 1);
  pair.sim.run_for(1s);
  EXPECT_EQ(pair.b.delivered.size(), 1u) << "its allowed IP stayed where it was";
}

TEST(Peers, AGreetingBeginsAHandshakeAndKeepsTheSession) {
  Pair pair;
  pair.talk_for(6s);
  Counter initiations(pair.sim, pair.a, wg::HandshakeInitiation::kType);
  const auto greet = [&] {
    wg::PeerChange change{.public_key = pair.b.public_key()};
    change.greet = true;
    pair.sim.configure(pair.a, change_of(std::move(change)));
  };
  greet();
  greet();  // One in so short a time.
  EXPECT_EQ(initiations.count, 1);
  pair.talk_for(6s);
  EXPECT_EQ(initiations.count, 1);
  EXPECT_EQ(pair.b.delivered.size(), pair.sent);
  EXPECT_EQ(pair.a.delivered.size(), pair.sent);
  greet();
  EXPECT_EQ(initiations.count, 2);
}

TEST(Peers, AKeyOfLowOrderIsNeverAsked) {
  Simulation sim(6, kCleanLink);
  SimNode& a = sim.add_node("a");
  SimNode& b = sim.add_node("b");
  sim.introduce(a, b, true, true);
  const wg::PeerChange zero{.public_key = crypto::PublicKey()};
  wg::PeerChange change = {.public_key = zero.public_key};
  change.endpoint = sim.endpoint_of(b);
  change.persistent_keepalive_seconds = 1;
  change.allowed_ips.push_back({.prefix = net::Prefix::parse("10.7.0.0/16").value()});
  int sent = 0;
  sim.on_datagram = [&](const SimNode&, const net::Endpoint&, ByteView) { ++sent; };
  sim.configure(a, change_of(std::move(change)));
  sim.run_for(20s);

  EXPECT_EQ(sent, 0);
  EXPECT_GT(a.drops(wg::Drop::LowOrderPoint), 0u);
  EXPECT_EQ(a.tables().sessions.size(), 0u);
}

// Three peers: one has the network, one a host in it.
struct Routes {
  Routes() {
    sim.introduce(hub, host, true, true);
    sim.introduce(hub, network, true, true);
    give(network, "10.8.0.0/16", false);
    give(host, "10.8.0.1/32", false);
  }
  void give(const SimNode& peer, const char* prefix, bool replace) {
    wg::PeerChange change{.public_key = peer.public_key()};
    change.replace_allowed_ips = replace;
    change.allowed_ips.push_back({.prefix = net::Prefix::parse(prefix).value()});
    sim.configure(hub, change_of(std::move(change)));
  }
  std::vector<std::uint8_t> packet() {
    auto bytes = sim.packet(hub, host, 1);
    const std::array<std::uint8_t, 4> target = {10, 8, 0, 1};
    std::copy(target.begin(), target.end(), bytes.begin() + 16);
    return bytes;
  }
  Simulation sim{12, kCleanLink};
  SimNode& hub{sim.add_node("hub")};
  SimNode& host{sim.add_node("host")};
  SimNode& network{sim.add_node("network")};
};

TEST(AllowedIps, ReplacingThemKeepsTheSession) {
  Routes routes;
  routes.sim.send_packet(routes.hub, routes.packet());
  routes.sim.run_for(1s);
  ASSERT_EQ(routes.host.delivered.size(), 1u);
  Counter initiations(routes.sim, routes.hub, wg::HandshakeInitiation::kType);
  routes.give(routes.host, "10.8.0.1/32", true);
  routes.sim.send_packet(routes.hub, routes.packet());
  routes.sim.run_for(1s);

  EXPECT_EQ(routes.host.delivered.size(), 2u);
  EXPECT_EQ(initiations.count, 0);
  EXPECT_EQ(routes.hub.peer_status(routes.host.public_key()).allowed_ips.size(), 1u);
}

TEST(AllowedIps, APrefixThatMovesTakesItsTrafficAlong) {
  Routes routes;
  routes.sim.send_packet(routes.hub, routes.packet());
  routes.sim.run_for(1s);
  routes.give(routes.network, "10.8.0.1/32", false);
  routes.sim.send_packet(routes.hub, routes.packet());
  routes.sim.run_for(1s);

  EXPECT_EQ(routes.host.delivered.size(), 1u);
  EXPECT_EQ(routes.network.delivered.size(), 1u);
  // What the old owner sends from there is not its own any more.
  auto from_host = routes.packet();
  std::swap_ranges(from_host.begin() + 12, from_host.begin() + 16, from_host.begin() + 16);
  routes.sim.send_packet(routes.host, from_host);
  routes.sim.run_for(1s);
  EXPECT_TRUE(routes.hub.delivered.empty());
  EXPECT_EQ(routes.hub.drops(wg::Drop::SourceNotAllowed), 1u);
}

}  // namespace
}  // namespace ginnel::sim

// Protocol life in simulated time: what two and many devices do to each other over hours on a
// network that loses, reorders, duplicates, delays and corrupts.
#include <gtest/gtest.h>

#include <set>

#include "sim/pair.h"

namespace ginnel::sim {
namespace {

using Kind = wg::EngineEvent::Kind;

TEST(Handshake, TheFirstPacketArrivesAfterOneRoundTrip) {
  Pair pair;
  pair.sim.send(pair.a, pair.b, 42);

  ASSERT_TRUE(pair.sim.run_until([&] { return !pair.b.delivered.empty(); }, 1s));
  EXPECT_EQ(number_in(pair.b.delivered.front()), 42u);
  EXPECT_EQ(pair.a.count(Kind::SessionMade), 1u);
  EXPECT_EQ(pair.b.count(Kind::SessionMade), 1u);
}

TEST(Handshake, BothFamiliesArriveThroughOneSession) {
  Pair pair;
  pair.sim.send(pair.a, pair.b, 4, 100, false);
  pair.sim.send(pair.a, pair.b, 6, 100, true);
  pair.sim.run_for(1s);

  ASSERT_EQ(pair.b.delivered.size(), 2u);
  EXPECT_EQ(pair.b.delivered[0][0] >> 4, 4);
  EXPECT_EQ(pair.b.delivered[1][0] >> 4, 6);
  EXPECT_EQ(pair.a.count(Kind::SessionMade), 1u);
}

TEST(Handshake, PacketsThatWaitedArriveInOrder) {
  Pair pair;
  for (std::uint64_t i = 0; i < 100; ++i) pair.sim.send(pair.a, pair.b, i);
  pair.sim.run_for(1s);

  ASSERT_EQ(pair.b.delivered.size(), 100u);
  for (std::uint64_t i = 0; i < 100; ++i) EXPECT_EQ(number_in(pair.b.delivered[i]), i);
}

TEST(Handshake, TwoThatStartAtOnceEndWithAWorkingSession) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE(seed);
    Pair pair(seed, {.lost = 0, .duplicated = 0, .bit_flipped = 0});
    pair.sim.send(pair.a, pair.b, 1);
    pair.sim.send(pair.b, pair.a, 2);
    pair.sim.run_for(10s);
    pair.a.delivered.clear();
    pair.b.delivered.clear();

    pair.sim.send(pair.a, pair.b, 3);
    pair.sim.send(pair.b, pair.a, 4);
    pair.sim.run_for(1s);
    EXPECT_EQ(pair.a.delivered.size(), 1u);
    EXPECT_EQ(pair.b.delivered.size(), 1u);
  }
}

TEST(Handshake, ThePresharedKeyHasToMatch) {
  for (const bool same : {true, false}) {
    Simulation sim(5, kCleanLink);
    SimNode& a = sim.add_node("a");
    SimNode& b = sim.add_node("b");
    sim.introduce(a, b, true, true, 77);
    if (!same) {
      wg::PeerChange change{.public_key = a.public_key()};
      test::SeededRng other(1);
      change.preshared_key = crypto::PresharedKey::generate(other);
      wg::DeviceChange device;
      device.peers.push_back(std::move(change));
      b.configure(sim.now(), std::move(device));
    }
    sim.send(a, b, 1);
    sim.run_for(4s);
    EXPECT_EQ(b.delivered.size(), same ? 1u : 0u);
  }
}

TEST(Handshake, GivesUpAfterNinetySecondsAndStartsAgainWithTheNextPacket) {
  Simulation sim(3, kCleanLink);
  SimNode& a = sim.add_node("a");
  SimNode& b = sim.add_node("b");
  sim.introduce(a, b, true, true);
  sim.set_quality_from(a, {.lost = 1000});
  int initiations = 0;
  sim.on_datagram = [&](const SimNode& from, const net::Endpoint&, ByteView) {
    if (&from == &a) ++initiations;
  };
  sim.send(a, b, 1);
  sim.run_for(120s);

  EXPECT_GE(initiations, 17);
  EXPECT_LE(initiations, 18);
  EXPECT_EQ(a.count(Kind::GaveUp), 1u);
  EXPECT_EQ(a.drops(wg::Drop::Unanswered), 1u);
  const int before = initiations;
  sim.run_for(600s);
  EXPECT_EQ(initiations, before);

  sim.set_quality_from(a, kCleanLink);
  sim.send(a, b, 2);
  sim.run_for(1s);
  EXPECT_EQ(b.delivered.size(), 1u);
}

TEST(Rekey, HoursOfTrafficLoseNothingOnACleanLink) {
  Pair pair;
  pair.talk_for(3h);

  EXPECT_EQ(pair.b.delivered.size(), pair.sent);
  EXPECT_EQ(pair.a.delivered.size(), pair.sent);
  // A new session every 120 s, made by whoever initiated.
  EXPECT_NEAR(double(pair.a.count(Kind::SessionMade)), 3.0 * 3600 / 120, 3.0);
}

TEST(Rekey, HoursOfTrafficOnAnUnkindLinkLoseLittleMoreThanTheLinkDoes) {
  Pair pair(11, LinkQuality{});
  pair.talk_for(2h);
  std::set<std::uint64_t> numbers;
  for (const auto& packet : pair.b.delivered) {
    EXPECT_TRUE(numbers.insert(number_in(packet)).second) << "delivered twice";
  }
  EXPECT_GT(double(numbers.size()), 0.9 * double(pair.sent));
}

TEST(Rekey, AnIdleSessionErasesItsKeysAfterNineMinutes) {
  Pair pair;
  pair.sim.send(pair.a, pair.b, 1);
  pair.sim.run_for(3 * wg::kRejectAfterTime - 5s);
  EXPECT_EQ(pair.a.count(Kind::KeysErased), 0u);
  pair.sim.run_for(10s);

  EXPECT_EQ(pair.a.count(Kind::KeysErased), 1u);
  EXPECT_EQ(pair.b.count(Kind::KeysErased), 1u);
  EXPECT_EQ(pair.a.tables().sessions.size(), 0u);
  EXPECT_EQ(pair.b.tables().sessions.size(), 0u);
  EXPECT_EQ(pair.a.tables().epochs.waiting(), 0u);
  EXPECT_EQ(pair.a.next_timeout(), kNever);  // A peer that is silent costs no wake-ups.
}

TEST(Keepalive, AReceiverWithNothingToSayAnswersAfterTenSeconds) {
  Pair pair;
  pair.sim.send(pair.a, pair.b, 1);
  pair.sim.run_for(2s);
  std::vector<MonoTime> from_b;
  pair.sim.on_datagram = [&](const SimNode& from, const net::Endpoint&, ByteView bytes) {
    if (&from == &pair.b && bytes.size() == 32) from_b.push_back(pair.sim.now().mono);
  };
  const MonoTime start = pair.sim.now().mono;
  pair.sim.send(pair.a, pair.b, 2);
  pair.sim.run_for(60s);

  ASSERT_FALSE(from_b.empty());
  // Ten seconds after the first unanswered packet, which took three one-way trips of 10 ms.
  EXPECT_EQ(from_b.front() - start, wg::kKeepaliveTimeout - 2s + 30ms);
  EXPECT_EQ(pair.a.count(Kind::SessionMade), 1u) << "a keepalive is answer enough";
}

TEST(Keepalive, OneWayTrafficIsAnsweredEveryTenSeconds) {
  Pair pair;
  pair.sim.send(pair.a, pair.b, 1);
  pair.sim.run_for(1s);
  int keepalives = 0;
  pair.sim.on_datagram = [&](const SimNode& from, const net::Endpoint&, ByteView bytes) {
    if (&from == &pair.b && bytes.size() == 32) ++keepalives;
  };
  for (int i = 0; i < 1000; ++i) {
    pair.sim.send(pair.a, pair.b, 2);
    pair.sim.run_for(100ms);
  }
  EXPECT_GE(keepalives, 9);
  EXPECT_LE(keepalives, 11);
}

TEST(Keepalive, PersistentKeepaliveGoesOutWhenNothingElseDoes) {
  Pair pair;
  wg::PeerChange change{.public_key = pair.b.public_key()};
  change.persistent_keepalive_seconds = 25;
  wg::DeviceChange device;
  device.peers.push_back(std::move(change));
  int from_a = 0;
  pair.sim.on_datagram = [&](const SimNode& from, const net::Endpoint&, ByteView bytes) {
    if (&from == &pair.a && bytes.size() == 32) ++from_a;
  };
  pair.a.configure(pair.sim.now(), std::move(device));
  pair.sim.send(pair.a, pair.b, 1);
  pair.sim.run_for(1000s);

  EXPECT_NEAR(from_a, 1000 / 25, 8);
  EXPECT_EQ(pair.b.delivered.size(), 1u);
}

TEST(Keepalive, PersistentKeepaliveKeepsTryingAPeerThatIsAway) {
  Simulation sim(8, kCleanLink);
  SimNode& a = sim.add_node("a");
  SimNode& b = sim.add_node("b");
  sim.introduce(a, b, true, false);
  sim.set_quality_from(a, {.lost = 1000});
  wg::PeerChange change{.public_key = b.public_key()};
  change.persistent_keepalive_seconds = 25;
  wg::DeviceChange device;
  device.peers.push_back(std::move(change));
  a.configure(sim.now(), std::move(device));
  sim.run_for(1h);
  EXPECT_EQ(b.count(Kind::SessionMade), 0u);

  sim.set_quality_from(a, kCleanLink);
  sim.run_for(60s);
  EXPECT_GE(b.count(Kind::SessionMade), 1u);
}

TEST(Roaming, AnswersFollowTheAddressOfTheLastAuthenticPacket) {
  Pair pair;
  pair.sim.send(pair.a, pair.b, 1);
  pair.sim.run_for(1s);
  pair.sim.move(pair.a);
  pair.sim.send(pair.a, pair.b, 2);
  pair.sim.run_for(1s);
  pair.sim.send(pair.b, pair.a, 3);
  pair.sim.run_for(1s);

  EXPECT_EQ(pair.a.delivered.size(), 1u);
  EXPECT_EQ(pair.b.peer_status(pair.a.public_key()).endpoint, pair.sim.endpoint_of(pair.a));
}

TEST(Roaming, ForgedAndReplayedPacketsMoveNobody) {
  Pair pair;
  std::vector<std::vector<std::uint8_t>> seen;
  pair.sim.on_datagram = [&](const SimNode& from, const net::Endpoint&, ByteView bytes) {
    if (&from == &pair.a) seen.emplace_back(bytes.begin(), bytes.end());
  };
  pair.talk_for(20s);
  const auto elsewhere = net::Endpoint::parse("198.51.100.9:9").value();
  const net::Endpoint honest = pair.sim.endpoint_of(pair.a);
  const std::size_t delivered = pair.b.delivered.size();
  for (const auto& bytes : seen) {
    pair.sim.inject(pair.b, elsewhere, bytes);
    auto forged = bytes;
    forged.back() ^= 1;
    pair.sim.inject(pair.b, elsewhere, forged);
  }

  EXPECT_EQ(pair.b.peer_status(pair.a.public_key()).endpoint, honest);
  EXPECT_EQ(pair.b.delivered.size(), delivered);
  EXPECT_GT(pair.b.drops(wg::Drop::Replayed), 0u);
  pair.talk_for(10s);
  EXPECT_EQ(pair.b.delivered.size(), pair.sent);
}

// Packets that were sent to the old endpoint before the peer could know keep coming for a while.
// They must not undo what the user has just said.
TEST(Roaming, AConfiguredEndpointHoldsWhileTrafficGoesOn) {
  Pair pair;
  pair.sim.give_v6(pair.a);
  const net::Endpoint v6_of_b = pair.sim.give_v6(pair.b);
  const auto talk_for = [&](Duration duration) {
    for (Duration t{}; t < duration; t += 1ms) {
      pair.sim.send(pair.b, pair.a, ++pair.sent);
      pair.sim.send(pair.a, pair.b, pair.sent);
      pair.sim.run_for(1ms);
    }
  };
  const auto endpoint_at = [](const SimNode& at, const SimNode& of) {
    return at.peer_status(of.public_key()).endpoint->address.family();
  };
  talk_for(100ms);
  for (const net::Endpoint& wanted : {v6_of_b, pair.sim.endpoint_of(pair.b), v6_of_b}) {
    wg::PeerChange change{.public_key = pair.b.public_key()};
    change.endpoint = wanted;
    wg::DeviceChange device;
    device.peers.push_back(std::move(change));
    pair.a.configure(pair.sim.now(), std::move(device));
    talk_for(500ms);

    EXPECT_EQ(endpoint_at(pair.a, pair.b), wanted.address.family());
    EXPECT_EQ(endpoint_at(pair.b, pair.a), wanted.address.family());
  }
}

TEST(Roaming, APeerThatIsOnlyAtItsOldEndpointIsFoundThereAgain) {
  Pair pair;
  pair.talk_for(2s);
  wg::PeerChange change{.public_key = pair.b.public_key()};
  change.endpoint = net::Endpoint{.address = net::Address::v4({203, 0, 113, 9}), .port = 1};
  wg::DeviceChange device;
  device.peers.push_back(std::move(change));
  pair.a.configure(pair.sim.now(), std::move(device));
  pair.talk_for(4s);
  EXPECT_EQ(pair.a.peer_status(pair.b.public_key()).endpoint->port, 1);
  pair.talk_for(3s);

  EXPECT_EQ(pair.a.peer_status(pair.b.public_key()).endpoint, pair.sim.endpoint_of(pair.b));
}

TEST(Nat, APeerBehindNatStaysReachableThroughRebinding) {
  Simulation sim(21, kCleanLink);
  SimNode& client = sim.add_node_behind_nat("client");
  SimNode& server = sim.add_node("server");
  sim.introduce(client, server, true, false);
  wg::PeerChange change{.public_key = server.public_key()};
  change.persistent_keepalive_seconds = 25;
  wg::DeviceChange device;
  device.peers.push_back(std::move(change));
  client.configure(sim.now(), std::move(device));
  sim.send(client, server, 1);
  sim.run_for(60s);
  for (int i = 0; i < 10; ++i) {
    sim.rebind(client);
    sim.run_for(30s);  // One keepalive later the server knows the new port.
    const std::size_t before = client.delivered.size();
    sim.send(server, client, 2);
    sim.run_for(1s);
    EXPECT_EQ(client.delivered.size(), before + 1) << "after rebinding " << i;
  }
}

TEST(AllowedIps, APacketFromAnAddressThatIsNotThePeersIsDropped) {
  Simulation sim(9, kCleanLink);
  SimNode& a = sim.add_node("a");
  SimNode& b = sim.add_node("b");
  SimNode& c = sim.add_node("c");
  sim.introduce(a, b, true, true);
  sim.introduce(a, c, true, true);
  // b claims to be c.
  sim.send_packet(b, sim.packet(c, a, 1));
  sim.run_for(1s);
  EXPECT_TRUE(a.delivered.empty());
  EXPECT_EQ(a.drops(wg::Drop::SourceNotAllowed), 1u);
}

TEST(Padding, HidesLengthsButNeverExceedsTheMtu) {
  Pair pair;
  std::vector<std::size_t> sizes;
  pair.sim.on_datagram = [&](const SimNode& from, const net::Endpoint&, ByteView bytes) {
    if (&from == &pair.a && bytes[0] == 4 && bytes.size() > 32) sizes.push_back(bytes.size() - 32);
  };
  for (const std::size_t size : {33u, 48u, 1408u, 1409u, 1419u, 1420u}) {
    pair.sim.send(pair.a, pair.b, 1, size);
    pair.sim.run_for(1s);
  }
  EXPECT_EQ(sizes, (std::vector<std::size_t>{48, 48, 1408, 1420, 1420, 1420}));
  ASSERT_EQ(pair.b.delivered.size(), 6u);
  EXPECT_EQ(pair.b.delivered[0].size(), 33u);
}

TEST(Removal, ARemovedPeerIsNeitherHeardNorSentTo) {
  Pair pair;
  pair.talk_for(5s);
  wg::PeerChange change{.public_key = pair.a.public_key()};
  change.remove = true;
  wg::DeviceChange device;
  device.peers.push_back(std::move(change));
  pair.b.configure(pair.sim.now(), std::move(device));
  const std::size_t before = pair.b.delivered.size();
  pair.talk_for(20s);

  EXPECT_EQ(pair.b.delivered.size(), before);
  EXPECT_EQ(pair.b.engine().peer_count(), 0u);
  EXPECT_EQ(pair.b.tables().sessions.size(), 0u);
}

TEST(Removal, PacketsStagedForARemovedPeerNeverReachItsSuccessor) {
  Simulation sim(4, kCleanLink);
  SimNode& server = sim.add_node("server");
  SimNode& first = sim.add_node("first");
  SimNode& second = sim.add_node("second");
  sim.introduce(server, first, true, false);
  sim.set_quality_from(server, {.lost = 1000});
  sim.send(server, first, 1);  // Waits for a handshake that cannot be.
  wg::PeerChange change{.public_key = first.public_key()};
  change.remove = true;
  wg::DeviceChange device;
  device.peers.push_back(std::move(change));
  server.configure(sim.now(), std::move(device));
  sim.set_quality_from(server, kCleanLink);
  sim.introduce(server, second, true, true);  // Takes the free slot.
  sim.send(server, second, 2);
  sim.run_for(10s);

  ASSERT_EQ(second.delivered.size(), 1u);
  EXPECT_EQ(number_in(second.delivered[0]), 2u);
  EXPECT_TRUE(first.delivered.empty());
}

TEST(LinkState, ADeviceThatIsDownIsSilentAndGreetsWhenItComesUp) {
  Pair pair;
  pair.talk_for(3s);
  pair.a.set_up(pair.sim.now(), false);
  EXPECT_EQ(pair.a.tables().sessions.size(), 0u);
  wg::PeerChange change{.public_key = pair.b.public_key()};
  change.persistent_keepalive_seconds = 25;
  wg::DeviceChange device;
  device.peers.push_back(std::move(change));
  int from_a = 0;
  pair.sim.on_datagram = [&](const SimNode& from, const net::Endpoint&, ByteView) {
    if (&from == &pair.a) ++from_a;
  };
  pair.a.configure(pair.sim.now(), std::move(device));
  pair.sim.send(pair.b, pair.a, 1);
  pair.sim.run_for(60s);
  EXPECT_EQ(from_a, 0);

  pair.a.set_up(pair.sim.now(), true);
  pair.sim.run_for(3s);
  EXPECT_GT(from_a, 0);
  pair.a.delivered.clear();
  pair.sim.send(pair.b, pair.a, 2);
  pair.sim.run_for(1s);
  EXPECT_EQ(pair.a.delivered.size(), 1u);
}

// Sessions that are gone for good leave nothing to wait for: the last initiation belongs to them.
TEST(LinkState, ADeviceThatWasDownForAMomentAsksAtOnce) {
  Pair pair;
  pair.sim.send(pair.a, pair.b, 1);
  pair.sim.run_for(1s);
  pair.a.set_up(pair.sim.now(), false);
  pair.a.set_up(pair.sim.now(), true);
  pair.sim.send(pair.a, pair.b, 2);
  pair.sim.run_for(1s);

  ASSERT_EQ(pair.b.delivered.size(), 2u);
  EXPECT_EQ(number_in(pair.b.delivered[1]), 2u);
}

TEST(LinkState, ADeviceWithItsKeyBackAsksAtOnce) {
  Pair pair;
  pair.sim.send(pair.a, pair.b, 1);
  pair.sim.run_for(1s);
  wg::DeviceChange loses, regains;
  loses.private_key = crypto::PrivateKey();
  regains.private_key = pair.a.engine().status().private_key->duplicate();
  pair.a.configure(pair.sim.now(), std::move(loses));
  pair.a.configure(pair.sim.now(), std::move(regains));
  pair.sim.send(pair.a, pair.b, 2);
  pair.sim.run_for(1s);

  ASSERT_EQ(pair.b.delivered.size(), 2u);
  EXPECT_EQ(number_in(pair.b.delivered[1]), 2u);
}

TEST(Load, ManyPeersOnAnUnkindNetworkAllGetThrough) {
  Simulation sim(31, LinkQuality{});
  SimNode& hub = sim.add_node("hub");
  std::vector<SimNode*> spokes;
  for (int i = 0; i < 40; ++i) {
    spokes.push_back(&sim.add_node_behind_nat("spoke"));
    sim.introduce(*spokes.back(), hub, true, false);
  }
  for (int round = 0; round < 120; ++round) {
    for (SimNode* spoke : spokes) sim.send(*spoke, hub, std::uint64_t(round));
    sim.run_for(5s);
    for (SimNode* spoke : spokes) sim.send(hub, *spoke, std::uint64_t(round));
  }
  sim.run_for(5s);
  for (SimNode* spoke : spokes) EXPECT_GT(spoke->delivered.size(), 90u);
  EXPECT_GT(hub.delivered.size(), 40u * 100u);
}

TEST(Determinism, TheSameSeedGivesTheSameBytes) {
  const auto run = [](std::uint64_t seed) {
    Pair pair(seed, LinkQuality{});
    pair.talk_for(10min);
    return pair.sim.digest();
  };
  EXPECT_EQ(run(17), run(17));
  EXPECT_NE(run(17), run(18));
}

}  // namespace
}  // namespace ginnel::sim

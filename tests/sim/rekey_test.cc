// When new keys are asked for and old ones end: each moment that the whitepaper names (section 6),
// from both ends, and what clocks that are wrong do to it.
#include <gtest/gtest.h>

#include "sim/pair.h"

namespace ginnel::sim {
namespace {

using Kind = wg::EngineEvent::Kind;

// A pair of which a made the session. Time stands a second after it.
struct PairWithSession : Pair {
  PairWithSession() {
    sim.send(a, b, ++sent);
    sim.run_for(1s);
    sim.on_datagram = [this](const SimNode& from, const net::Endpoint&, ByteView bytes) {
      if (bytes[0] == wg::HandshakeInitiation::kType) ++(&from == &a ? asked_by_a : asked_by_b);
    };
  }
  static wg::Session& session_of(SimNode& node) {
    return *node.tables().paths.find(wg::PeerSlot{0})->current.load();
  }
  void run_until_age(SimNode& node, Duration age) {
    sim.run_for(session_of(node).created() + age - sim.now().mono);
  }
  int asked_by_a = 0;
  int asked_by_b = 0;
};

TEST(RekeyAfterTime, TheInitiatorAsksWithTheFirstPacketThatIsOldEnough) {
  PairWithSession pair;
  pair.run_until_age(pair.a, wg::kRekeyAfterTime - 1ns);
  pair.sim.send(pair.a, pair.b, 2);
  EXPECT_EQ(pair.asked_by_a, 0);

  pair.sim.run_for(1ns);
  pair.sim.send(pair.a, pair.b, 3);
  EXPECT_EQ(pair.asked_by_a, 1);
  pair.sim.send(pair.a, pair.b, 4);
  pair.sim.run_for(1s);
  EXPECT_EQ(pair.asked_by_a, 1);
  EXPECT_EQ(pair.b.delivered.size(), 4u);
  EXPECT_EQ(pair.a.count(Kind::SessionMade), 2u);
}

// The network may bring a packet later than the first one with new keys.
TEST(RekeyAfterTime, WhatWasSentWithTheKeysBeforeStillArrives) {
  for (const bool by_responder : {false, true}) {
    SCOPED_TRACE(by_responder);
    PairWithSession pair;
    SimNode& from = by_responder ? pair.b : pair.a;
    SimNode& to = by_responder ? pair.a : pair.b;
    std::vector<std::uint8_t> late;
    pair.sim.on_datagram = [&](const SimNode&, const net::Endpoint&, ByteView bytes) {
      late.assign(bytes.begin(), bytes.end());
    };
    pair.sim.set_quality_from(from, {.lost = 1000});
    pair.sim.send(from, to, 77);
    pair.sim.on_datagram = {};
    pair.sim.set_quality_from(from, kCleanLink);
    pair.run_until_age(pair.a, wg::kRekeyAfterTime);
    pair.sim.send(pair.a, pair.b, 2);
    pair.sim.run_for(1s);
    ASSERT_EQ(pair.b.count(Kind::SessionMade), 2u);

    const std::size_t before = to.delivered.size();
    pair.sim.inject(to, pair.sim.endpoint_of(from), late);
    ASSERT_EQ(to.delivered.size(), before + 1);
    EXPECT_EQ(number_in(to.delivered.back()), 77u);
  }
}

// Were both to ask, each new session would be made twice.
TEST(RekeyAfterTime, TheResponderDoesNotAsk) {
  PairWithSession pair;
  const MonoTime end = pair.session_of(pair.b).created() + wg::kRekeyAfterTime + 30s;
  while (pair.sim.now().mono < end) {
    pair.sim.send(pair.b, pair.a, 2);
    pair.sim.run_for(1s);
  }
  EXPECT_EQ(pair.asked_by_b, 0);
  EXPECT_EQ(pair.asked_by_a, 1) << "its keepalives are sent too";
}

TEST(RekeyAfterTime, AnInitiatorThatOnlyHearsAsksBeforeItsKeysEnd) {
  constexpr Duration kAge = wg::kRejectAfterTime - wg::kKeepaliveTimeout - wg::kRekeyTimeout;
  for (const bool old_enough : {false, true}) {
    SCOPED_TRACE(old_enough);
    PairWithSession pair;
    pair.run_until_age(pair.a, kAge - 10ms - (old_enough ? 0ns : 1ns));
    pair.sim.send(pair.b, pair.a, 2);
    pair.sim.run_for(5s);
    EXPECT_EQ(pair.a.delivered.size(), 1u);
    EXPECT_EQ(pair.asked_by_a, old_enough ? 1 : 0);
  }
}

TEST(RejectAfterTime, AnOldSessionIsNotSentWithAndANewOneIsMadeFirst) {
  for (const bool by_responder : {false, true}) {
    SCOPED_TRACE(by_responder);
    PairWithSession pair;
    SimNode& from = by_responder ? pair.b : pair.a;
    SimNode& to = by_responder ? pair.a : pair.b;
    pair.run_until_age(from, wg::kRejectAfterTime);
    const std::size_t before = to.delivered.size();
    int data_before_session = 0;
    pair.sim.on_datagram = [&](const SimNode& sender, const net::Endpoint&, ByteView bytes) {
      const bool made = from.count(Kind::SessionMade) == 2;
      if (&sender == &from && bytes[0] == wg::TransportView::kType && !made) ++data_before_session;
    };
    pair.sim.send(from, to, 2);
    pair.sim.run_for(1s);
    EXPECT_EQ(data_before_session, 0);
    EXPECT_EQ(to.delivered.size(), before + 1);
  }
}

TEST(RejectAfterTime, WhatArrivesLateIsRefused) {
  for (const bool late : {false, true}) {
    SCOPED_TRACE(late);
    PairWithSession pair;
    std::vector<std::uint8_t> held_back;
    pair.sim.on_datagram = [&](const SimNode& from, const net::Endpoint&, ByteView bytes) {
      if (&from == &pair.a) held_back.assign(bytes.begin(), bytes.end());
    };
    pair.sim.set_quality_from(pair.a, {.lost = 1000});
    pair.sim.send(pair.a, pair.b, 2);
    ASSERT_FALSE(held_back.empty());
    const auto datagram = std::exchange(held_back, {});
    pair.run_until_age(pair.b, wg::kRejectAfterTime - (late ? 0ns : 1ns));
    pair.sim.inject(pair.b, pair.sim.endpoint_of(pair.a), datagram);
    EXPECT_EQ(pair.b.delivered.size(), late ? 1u : 2u);
    EXPECT_EQ(pair.b.drops(wg::Drop::SessionExpired), late ? 1u : 0u);
  }
}

// The responder of a handshake whose initiator never came back.
TEST(RejectAfterTime, KeysThatWereNeverUsedAreErasedToo) {
  Pair pair;
  pair.sim.set_quality_from(pair.b, {.lost = 1000});
  pair.sim.send(pair.a, pair.b, 1);
  pair.sim.run_for(wg::kRekeyAttemptTime + wg::kRekeyTimeout);
  EXPECT_EQ(pair.b.tables().sessions.size(), 1u);
  pair.sim.run_for(3 * wg::kRejectAfterTime);
  EXPECT_EQ(pair.b.tables().sessions.size(), 0u);
  EXPECT_EQ(pair.b.tables().epochs.waiting(), 0u);
  EXPECT_EQ(pair.b.count(Kind::KeysErased), 1u);
}

TEST(RekeyAfterMessages, WhoeverSentThatManyAsks) {
  for (const bool by_responder : {false, true}) {
    SCOPED_TRACE(by_responder);
    PairWithSession pair;
    pair.sim.run_for(wg::kRekeyTimeout);  // The initiation before was that long ago.
    SimNode& from = by_responder ? pair.b : pair.a;
    SimNode& to = by_responder ? pair.a : pair.b;
    const int& asked = by_responder ? pair.asked_by_b : pair.asked_by_a;
    pair.session_of(from).skip_counters_to(wg::kRekeyAfterMessages - 2);
    pair.sim.send(from, to, 2);
    EXPECT_EQ(asked, 0);
    pair.sim.send(from, to, 3);
    EXPECT_EQ(asked, 1);
    pair.sim.run_for(1s);
    EXPECT_EQ(asked, 1);
    EXPECT_LT(pair.session_of(from).sent(), 10u) << "a new session is in use";
  }
}

TEST(RejectAfterMessages, PacketsBeyondItWaitForTheNextSessionAndKeepTheirOrder) {
  PairWithSession pair;
  pair.sim.run_for(wg::kRekeyTimeout);
  pair.session_of(pair.a).skip_counters_to(wg::kRejectAfterMessages - 3);
  pair.b.delivered.clear();
  for (std::uint64_t i = 0; i < 10; ++i) pair.sim.send(pair.a, pair.b, i);
  pair.sim.run_for(1s);

  ASSERT_EQ(pair.b.delivered.size(), 10u);
  for (std::uint64_t i = 0; i < 10; ++i) EXPECT_EQ(number_in(pair.b.delivered[i]), i);
  EXPECT_EQ(pair.b.drops(wg::Drop::SessionExpired), 0u);
}

TEST(Keepalive, NoneIsSentWhileBothEndsTalk) {
  PairWithSession pair;
  pair.sim.run_for(20s);
  int keepalives = 0;
  pair.sim.on_datagram = [&](const SimNode&, const net::Endpoint&, ByteView bytes) {
    if (bytes.size() == wg::TransportView::kHeaderSize + wg::TransportView::kTagSize) ++keepalives;
  };
  pair.talk_for(60s);
  EXPECT_EQ(keepalives, 0);
}

TEST(Keepalive, APersistentOneComesAtItsIntervalAfterTheLastTraffic) {
  PairWithSession pair;
  wg::PeerChange change{.public_key = pair.b.public_key()};
  change.persistent_keepalive_seconds = 20;
  pair.sim.configure(pair.a, change_of(std::move(change)));
  pair.sim.run_for(15s);
  pair.sim.send(pair.a, pair.b, 2);
  const MonoTime last = pair.sim.now().mono;
  std::vector<Duration> keepalives;
  pair.sim.on_datagram = [&](const SimNode& from, const net::Endpoint&, ByteView) {
    if (&from == &pair.a) keepalives.push_back(pair.sim.now().mono - last);
  };
  pair.sim.run_for(71s);
  // Ten seconds after the packet b sends a keepalive, which is traffic too.
  EXPECT_EQ(keepalives, (std::vector<Duration>{30s + 20ms, 50s + 20ms, 70s + 20ms}));
}

TEST(Calendar, SetBackByAYearItLocksNobodyOut) {
  Pair pair;
  pair.talk_for(10s);
  pair.sim.set_clock_of(pair.a, -24h * 365);
  pair.talk_for(10min);
  EXPECT_EQ(pair.a.delivered.size(), pair.sent);
  EXPECT_EQ(pair.b.delivered.size(), pair.sent);
  EXPECT_GE(pair.b.count(Kind::SessionMade), 5u);
  EXPECT_EQ(pair.b.drops(wg::Drop::ReplayedHandshake), 0u) << "the other end had to ask";
}

TEST(Calendar, AheadForAMomentItLocksNobodyOut) {
  Pair pair;
  pair.sim.set_clock_of(pair.a, 24h * 365);
  pair.talk_for(10s);
  pair.sim.set_clock_of(pair.a, 0s);
  pair.talk_for(10min);
  EXPECT_EQ(pair.b.delivered.size(), pair.sent);
  EXPECT_GE(pair.b.count(Kind::SessionMade), 5u);
  EXPECT_EQ(pair.b.drops(wg::Drop::ReplayedHandshake), 0u) << "the other end had to ask";
}

// A device that has forgotten what it said last cannot be told from somebody who plays it again.
TEST(Calendar, BehindAndWithoutMemoryItIsRefusedUntilTheOtherEndAsks) {
  Pair pair;
  pair.talk_for(10s);
  wg::PeerChange removal{.public_key = pair.b.public_key()};
  removal.remove = true;
  pair.sim.configure(pair.a, change_of(std::move(removal)));
  pair.sim.introduce(pair.a, pair.b, true, true);
  pair.sim.set_clock_of(pair.a, -1h);
  const std::size_t before = pair.b.delivered.size();
  pair.sim.send(pair.a, pair.b, 1);
  pair.sim.run_for(30s);
  EXPECT_EQ(pair.b.delivered.size(), before);
  EXPECT_GE(pair.b.drops(wg::Drop::ReplayedHandshake), 5u);

  pair.sim.run_for(wg::kRejectAfterTime);  // Until b's own session is over.
  pair.sim.send(pair.b, pair.a, 2);
  pair.sim.run_for(1s);
  pair.sim.send(pair.a, pair.b, 3);
  pair.sim.run_for(1s);
  ASSERT_EQ(pair.b.delivered.size(), before + 1);
  EXPECT_EQ(number_in(pair.b.delivered.back()), 3u);
}

}  // namespace
}  // namespace ginnel::sim

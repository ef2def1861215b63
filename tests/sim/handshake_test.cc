// Handshakes that meet, are late, are replayed, or come too often.
#include <gtest/gtest.h>

#include <set>

#include "sim/pair.h"

namespace ginnel::sim {
namespace {

using Kind = wg::EngineEvent::Kind;

struct Seen {
  const SimNode* from;
  std::vector<std::uint8_t> bytes;
};

std::vector<Seen> record(Simulation& sim, const std::function<void()>& action) {
  std::vector<Seen> seen;
  sim.on_datagram = [&](const SimNode& from, const net::Endpoint&, ByteView bytes) {
    seen.push_back({&from, {bytes.begin(), bytes.end()}});
  };
  action();
  sim.on_datagram = {};
  return seen;
}

std::size_t initiations_of(const std::vector<Seen>& seen, const SimNode& node) {
  return std::size_t(std::count_if(seen.begin(), seen.end(), [&](const Seen& one) {
    return one.from == &node && one.bytes[0] == wg::HandshakeInitiation::kType;
  }));
}

TEST(Handshake, ASessionThatThePeerMadeEndsOurOwnAsking) {
  Simulation sim(2, kCleanLink);
  SimNode& a = sim.add_node("a");
  SimNode& b = sim.add_node("b");
  sim.introduce(a, b, true, true);
  sim.set_quality_from(a, {.lost = 1000});
  sim.send(a, b, 1);  // Its initiation is lost.
  sim.run_for(1s);
  sim.set_quality_from(a, kCleanLink);
  const auto seen = record(sim, [&] {
    sim.send(b, a, 2);
    sim.run_for(100s);
  });

  EXPECT_EQ(a.delivered.size(), 1u);
  EXPECT_EQ(b.delivered.size(), 1u);
  EXPECT_EQ(initiations_of(seen, a), 0u);
  EXPECT_EQ(a.count(Kind::GaveUp), 0u);
}

TEST(Handshake, IsNotHurtByOldKeysThatAreErasedMeanwhile) {
  for (const Duration before : {Duration(30ms), Duration(15ms), Duration(5ms)}) {
    SCOPED_TRACE(before.count());
    Pair pair;
    pair.sim.send(pair.a, pair.b, 1);
    ASSERT_TRUE(pair.sim.run_until([&] { return pair.a.count(Kind::SessionMade) == 1; }, 1s));
    pair.sim.run_for(3 * wg::kRejectAfterTime - before);
    ASSERT_EQ(pair.a.count(Kind::KeysErased), 0u);
    pair.sim.send(pair.a, pair.b, 2);
    pair.sim.run_for(1s);
    EXPECT_EQ(pair.a.count(Kind::KeysErased), before > 20ms ? 0u : 1u);
    EXPECT_EQ(pair.b.delivered.size(), 2u);
  }
}

// A node that was restarted has forgotten which timestamps it has seen.
TEST(Replay, AnOldInitiationAfterARestartMovesNobodyAndOpensNothing) {
  Pair pair;
  const auto seen = record(pair.sim, [&] { pair.talk_for(5s); });
  ASSERT_EQ(seen.front().bytes[0], wg::HandshakeInitiation::kType);
  const net::Endpoint honest = pair.sim.endpoint_of(pair.a);
  const auto elsewhere = net::Endpoint::parse("198.51.100.9:9").value();
  wg::PeerChange removal{.public_key = pair.a.public_key()};
  removal.remove = true;
  pair.sim.configure(pair.b, change_of(std::move(removal)));
  pair.sim.introduce(pair.b, pair.a, true, true);
  const std::size_t made = pair.b.count(Kind::SessionMade);
  const std::size_t delivered = pair.b.delivered.size();
  for (const Seen& one : seen) {
    if (one.from == &pair.a) pair.sim.inject(pair.b, elsewhere, one.bytes);
  }

  EXPECT_EQ(pair.b.peer_status(pair.a.public_key()).endpoint, honest);
  EXPECT_EQ(pair.b.count(Kind::SessionMade), made);
  EXPECT_EQ(pair.b.delivered.size(), delivered);
  pair.sim.run_for(1s);
  pair.sim.send(pair.b, pair.a, 77);
  EXPECT_TRUE(pair.sim.run_until(
      [&] { return !pair.a.delivered.empty() && number_in(pair.a.delivered.back()) == 77; }, 6s));
}

TEST(Replay, AnInitiationThatWasAnsweredIsNotAnsweredAgain) {
  Pair pair;
  const auto seen = record(pair.sim, [&] { pair.talk_for(2s); });
  const auto again = record(pair.sim, [&] {
    for (const Seen& one : seen) {
      if (one.bytes[0] == wg::HandshakeInitiation::kType) {
        pair.sim.inject(pair.b, pair.sim.endpoint_of(pair.a), one.bytes);
      }
    }
  });
  EXPECT_TRUE(again.empty());
  EXPECT_EQ(pair.b.drops(wg::Drop::ReplayedHandshake), 1u);
}

TEST(Handshake, APeersInitiationsAreAnsweredAtMostAsOftenAsTheIntervalSays) {
  struct Row {
    Duration apart;
    std::size_t answers;
  };
  for (const Row& row :
       {Row{wg::kMinInitiationInterval - 1ns, 1}, Row{wg::kMinInitiationInterval, 2}}) {
    SCOPED_TRACE(row.apart.count());
    Pair pair;
    // Two initiations of one peer: it forgets the first when its key is set anew.
    wg::DeviceStatus status = pair.a.engine().status();
    test::SeededRng rng(4);
    const auto seen = record(pair.sim, [&] {
      pair.sim.set_quality_from(pair.a, {.lost = 1000});
      pair.sim.send(pair.a, pair.b, 1);
      pair.sim.run_for(1s);
      wg::DeviceChange other, back;
      other.private_key = crypto::PrivateKey::generate(rng);
      back.private_key = std::move(*status.private_key);
      pair.sim.configure(pair.a, std::move(other));
      pair.sim.configure(pair.a, std::move(back));
      pair.sim.send(pair.a, pair.b, 2);
    });
    std::vector<std::vector<std::uint8_t>> initiations;
    for (const Seen& one : seen) {
      if (one.bytes[0] == wg::HandshakeInitiation::kType) initiations.push_back(one.bytes);
    }
    ASSERT_GE(initiations.size(), 2u);
    const auto answers = record(pair.sim, [&] {
      pair.sim.inject(pair.b, pair.sim.endpoint_of(pair.a), initiations.front());
      pair.sim.run_for(row.apart);
      pair.sim.inject(pair.b, pair.sim.endpoint_of(pair.a), initiations.back());
    });
    EXPECT_EQ(std::size_t(std::count_if(answers.begin(), answers.end(),
                                        [&](const Seen& one) { return one.from == &pair.b; })),
              row.answers);
  }
}

std::vector<MonoTime> times_of_initiations(Simulation& sim, const SimNode& node,
                                           const std::function<void()>& action) {
  std::vector<MonoTime> times;
  sim.on_datagram = [&](const SimNode& from, const net::Endpoint&, ByteView bytes) {
    if (&from == &node && bytes[0] == wg::HandshakeInitiation::kType) {
      times.push_back(sim.now().mono);
    }
  };
  action();
  sim.on_datagram = {};
  return times;
}

TEST(Jitter, RetransmissionsComeFiveSecondsApartAndALittleLater) {
  std::set<Duration> intervals;
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    Pair pair(seed);
    pair.sim.set_quality_from(pair.a, {.lost = 1000});
    const auto times = times_of_initiations(pair.sim, pair.a, [&] {
      pair.sim.send(pair.a, pair.b, 1);
      pair.sim.run_for(wg::kRekeyAttemptTime);
    });
    ASSERT_GT(times.size(), 10u);
    for (std::size_t i = 1; i < times.size(); ++i) {
      const Duration interval = times[i] - times[i - 1];
      EXPECT_GE(interval, wg::kRekeyTimeout);
      EXPECT_LT(interval, wg::kRekeyTimeout + wg::kMaxTimerJitter);
      intervals.insert(interval);
    }
  }
  EXPECT_GT(intervals.size(), 100u) << "chance has to play a part";
  EXPECT_GT(*intervals.rbegin() - *intervals.begin(), wg::kMaxTimerJitter / 2);
}

TEST(Jitter, APeerThatFallsSilentIsAskedAfterFifteenSecondsAndALittle) {
  std::set<Duration> waits;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Pair pair(seed);
    pair.talk_for(2s);
    pair.sim.set_quality_from(pair.b, {.lost = 1000});
    const MonoTime sent = pair.sim.now().mono;
    const auto times = times_of_initiations(pair.sim, pair.a, [&] {
      pair.sim.send(pair.a, pair.b, 2);
      pair.sim.run_for(18s);
    });
    ASSERT_EQ(times.size(), 1u);
    const Duration wait = times[0] - sent;
    EXPECT_GE(wait, wg::kKeepaliveTimeout + wg::kRekeyTimeout);
    EXPECT_LE(wait, wg::kKeepaliveTimeout + wg::kRekeyTimeout + wg::kMaxTimerJitter);
    waits.insert(wait);
  }
  EXPECT_GT(waits.size(), 10u);
}

}  // namespace
}  // namespace ginnel::sim

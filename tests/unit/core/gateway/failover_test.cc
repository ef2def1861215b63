#include "core/gateway/failover.h"

#include <gtest/gtest.h>

namespace ginnel::gateway {
namespace {

constexpr Duration kLook = 100ms;  // How often traffic is told.
constexpr Duration kDelay = 1ms;
constexpr std::uint64_t kPacket = 96;
constexpr std::uint64_t kKeepalive = 32;

// Tunnels over a clock that jumps from look to look. Those that are alive answer a greeting, and
// what is sent, by the next look.
struct World {
  explicit World(std::size_t count)
      : failover(count, MonoTime{}), alive(count, true), traffic(count) {}

  void look() {
    for (std::size_t i = 0; i < alive.size(); ++i) {
      if (!alive[i]) pending[i] = false;
      if (pending[i]) traffic[i].received += kPacket;
      pending[i] = false;
      if (i == failover.active() && lan_sends) {
        traffic[i].sent += kPacket;
        pending[i] = lan_is_answered;
      }
      failover.handle_traffic(now, i, traffic[i]);
    }
    const Failover::Step step = failover.handle_timeout(now);
    for (const std::size_t i : step.greet) {
      greetings.push_back({now, i});
      // As the engine, which begins a handshake a little later than it is told, and no other soon.
      MonoTime& initiated = traffic[i].initiated;
      if (initiated != kNever && now + kDelay - initiated < Failover::kGreetInterval) continue;
      initiated = now + kDelay;
      traffic[i].sent += 148;
      pending[i] = true;
    }
    if (step.switch_to) switches.push_back({now, *step.switch_to});
    failures += step.failed ? 1u : 0u;
    now += kLook;
  }
  void run(Duration time) {
    for (const MonoTime end = now + time; now < end;) look();
  }
  double seconds() const { return std::chrono::duration<double>(now - MonoTime{}).count(); }

  struct Happening {
    MonoTime at;
    std::size_t tunnel;
  };
  Failover failover;
  std::vector<bool> alive;
  std::vector<TunnelTraffic> traffic;
  std::array<bool, Failover::kMaxTunnels> pending{};
  bool lan_sends = true;
  bool lan_is_answered = true;
  MonoTime now{};
  std::vector<Happening> greetings;
  std::vector<Happening> switches;
  unsigned failures = 0;
};

TEST(Failover, GreetsAfterSilenceAndSwitchesWhenThatIsNotAnswered) {
  World world(2);
  world.run(20s);
  ASSERT_EQ(world.greetings.size(), 1u);  // The first of all.
  EXPECT_EQ(world.greetings[0].at, MonoTime{});
  world.greetings.clear();
  world.alive[0] = false;
  const MonoTime died = world.now;

  world.run(4s);

  ASSERT_EQ(world.switches.size(), 1u);
  EXPECT_EQ(world.switches[0].tunnel, 1u);
  ASSERT_EQ(world.greetings.size(), 2u);
  EXPECT_EQ(world.greetings[0].tunnel, 0u);
  EXPECT_GE(world.greetings[0].at - died, Failover::kSilenceLimit);
  EXPECT_LE(world.greetings[0].at - died, Failover::kSilenceLimit + 2 * kLook);
  EXPECT_EQ(world.switches[0].at - world.greetings[0].at, Failover::kAnswerLimit);
  EXPECT_EQ(world.greetings[1].tunnel, 1u);  // The new one proves itself at once.
  EXPECT_EQ(world.greetings[1].at, world.switches[0].at);
  EXPECT_TRUE(world.failover.is_answering());
}

TEST(Failover, AnyAnswerClearsTheCount) {
  World world(2);
  world.lan_is_answered = false;  // A stream in one direction: only greetings are answered.

  world.run(60s);

  EXPECT_TRUE(world.switches.empty());
  ASSERT_GT(world.greetings.size(), 5u);
  for (std::size_t i = 1; i < world.greetings.size(); ++i) {
    EXPECT_GE(world.greetings[i].at - world.greetings[i - 1].at, Failover::kGreetInterval);
  }
}

// Whoever only sends, as a log does, is answered by handshakes alone; those that the engine begins
// by itself put the next one off.
TEST(Failover, IsNotMovedByTrafficThatNobodyAnswers) {
  World world(2);
  world.lan_is_answered = false;
  for (int i = 0; i < 60; ++i) {
    world.run(1700ms + i * 150ms);
    world.traffic[0].initiated = world.now;
    world.traffic[0].received += kPacket;
  }
  EXPECT_TRUE(world.switches.empty());
  EXPECT_EQ(world.failures, 0u);
  EXPECT_GT(world.greetings.size(), 5u);
}

TEST(Failover, ExpectsNoAnswerToKeepalives) {
  MonoTime now{};
  Failover failover(2, now);
  failover.handle_timeout(now);
  TunnelTraffic traffic{.received = 92, .sent = 148};
  failover.handle_traffic(now, 0, traffic);
  for (int i = 0; i < 100; ++i, now += 1s) {
    traffic.sent += kKeepalive;
    failover.handle_traffic(now, 0, traffic);
    EXPECT_TRUE(failover.handle_timeout(now).greet.empty());
  }
  traffic.sent += kKeepalive + 1;
  failover.handle_traffic(now, 0, traffic);
  EXPECT_EQ(failover.next_timeout(), now + Failover::kSilenceLimit);
}

TEST(Failover, IsNotMovedByATunnelThatIsIdle) {
  World world(3);
  world.run(5s);
  world.greetings.clear();
  world.lan_sends = false;
  world.alive = {false, false, false};

  world.run(300s);

  EXPECT_TRUE(world.greetings.empty());
  EXPECT_EQ(world.failures, 0u);
  EXPECT_EQ(world.failover.next_timeout(), kNever);
}

TEST(Failover, TriesEveryTunnelInTurnWhenAllAreDead) {
  World world(3);
  world.alive = {false, false, false};

  world.run(60s);

  ASSERT_GE(world.switches.size(), 9u);
  for (std::size_t i = 0; i < world.switches.size(); ++i) {
    EXPECT_EQ(world.switches[i].tunnel, (i + 1) % 3) << i;
  }
  std::array<MonoTime, 3> last{MonoTime{} - 1h, MonoTime{} - 1h, MonoTime{} - 1h};
  for (const auto& greeting : world.greetings) {
    EXPECT_GE(greeting.at - last[greeting.tunnel], Failover::kGreetInterval);
    last[greeting.tunnel] = greeting.at;
  }
  EXPECT_FALSE(world.failover.is_answering());
  EXPECT_TRUE(world.failover.all_failed());
  world.alive[2] = true;
  world.run(10s);
  EXPECT_FALSE(world.failover.all_failed());
}

TEST(Failover, SkipsOneThatFailedLately) {
  World world(3);
  world.run(5s);
  world.alive = {false, false, true};

  world.run(10s);

  ASSERT_EQ(world.switches.size(), 2u);
  EXPECT_EQ(world.switches[0].tunnel, 1u);
  EXPECT_EQ(world.switches[1].tunnel, 2u);
  world.alive = {false, true, false};
  world.run(5s);
  EXPECT_EQ(world.failover.active(), 1u);  // Not 0: both rest, and 1 comes after 2 and 0.
}

TEST(Failover, GoesBackToThePreferredTunnelWhenItAnswersAgain) {
  World world(2);
  world.run(5s);
  world.alive[0] = false;
  world.run(5s);
  ASSERT_EQ(world.failover.active(), 1u);
  world.run(60s);
  EXPECT_EQ(world.failover.active(), 1u);

  world.alive[0] = true;
  world.run(Failover::kReturnInterval * 2 + 1s);

  EXPECT_EQ(world.failover.active(), 0u);
  ASSERT_EQ(world.switches.size(), 2u);
  EXPECT_TRUE(world.failover.is_answering());
  world.run(60s);
  EXPECT_EQ(world.switches.size(), 2u);
}

TEST(Failover, OneAnswerIsNotEnoughToGoBack) {
  World world(2);
  world.run(5s);
  world.alive[0] = false;
  world.run(5s);
  ASSERT_EQ(world.failover.active(), 1u);

  for (int i = 0; i < 20; ++i) {  // Alive at every other greeting only.
    world.alive[0] = i % 2 == 0;
    world.run(Failover::kReturnInterval);
  }

  EXPECT_EQ(world.failover.active(), 1u);
  EXPECT_EQ(world.switches.size(), 1u);
}

TEST(Failover, WaitsLongerForOneThatFailsSoonAfterItsReturn) {
  World world(2);
  std::vector<Duration> away;
  for (int i = 0; i < 7; ++i) {
    world.alive[0] = false;
    world.run(10s);
    ASSERT_EQ(world.failover.active(), 1u) << i;
    world.alive[0] = true;
    const MonoTime since = world.now;
    for (int n = 0; n < 100'000 && world.failover.active() != 0; ++n) world.look();
    ASSERT_EQ(world.failover.active(), 0u) << i;
    away.push_back(world.now - since);
  }
  EXPECT_LT(away[0], 2 * Failover::kReturnInterval + 1s);
  EXPECT_GT(away[2], 2 * away[0]);
  EXPECT_LE(away.back(), 2 * Failover::kMaxReturnInterval + 1s);
  EXPECT_GT(away.back(), Failover::kMaxReturnInterval);

  world.run(Failover::kTrialTime + 1s);  // Long enough to be trusted again.
  world.alive[0] = false;
  world.run(10s);
  world.alive[0] = true;
  world.run(2 * Failover::kReturnInterval + 1s);
  EXPECT_EQ(world.failover.active(), 0u);
}

TEST(Failover, ALoneTunnelFailsAndStays) {
  World world(1);
  world.run(1s);
  world.alive[0] = false;

  world.run(30s);

  EXPECT_TRUE(world.switches.empty());
  EXPECT_GE(world.failures, 4u);
  EXPECT_LE(world.failures, 6u);
  EXPECT_FALSE(world.failover.is_answering());
  world.lan_sends = false;  // It is found again without anybody's help.
  world.alive[0] = true;
  world.run(6s);
  EXPECT_TRUE(world.failover.is_answering());
}

TEST(Failover, LateAndRepeatedCallsAreHarmless) {
  Failover failover(2, MonoTime{});
  const MonoTime late = MonoTime{} + 1h;

  EXPECT_EQ(failover.handle_timeout(late).greet, std::vector<std::size_t>{0});
  EXPECT_TRUE(failover.handle_timeout(late).greet.empty());
  EXPECT_EQ(failover.next_timeout(), late + Failover::kAnswerLimit);
  EXPECT_EQ(failover.handle_timeout(late + 1h).switch_to, std::optional<std::size_t>(1));
  EXPECT_FALSE(failover.handle_timeout(late + 1h).switch_to);
}

}  // namespace
}  // namespace ginnel::gateway

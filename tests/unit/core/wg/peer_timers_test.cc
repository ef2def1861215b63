#include "core/wg/peer_timers.h"

#include <gtest/gtest.h>

namespace ginnel::wg {
namespace {

constexpr MonoTime kStart = MonoTime{} + 100s;

TEST(PeerTimers, GivesUpNinetySecondsAfterTheFirstUnansweredInitiation) {
  PeerTimers timers;
  MonoTime now = kStart;
  MonoTime gave_up_at = kNever, erased_at = kNever;
  int initiations = 1;
  timers.on_initiation_sent(now, 0s);
  while (timers.next_timeout({}) != kNever) {
    now = timers.next_timeout({});
    const PeerTimers::Due due = timers.handle_timeout(now, {});
    if (due.retransmit) {
      ++initiations;
      timers.on_initiation_sent(now, 0s);
    }
    if (due.give_up) gave_up_at = now;
    if (due.erase_keys) erased_at = now;
  }

  EXPECT_EQ(initiations, 18);  // One at 0 s, then every 5 s while younger than 90 s.
  EXPECT_EQ(gave_up_at, kStart + 90s);
  EXPECT_EQ(erased_at, kStart + 90s + 3 * 180s);
}

TEST(PeerTimers, FireAtTheirMomentAndNotBefore) {
  struct Row {
    const char* what;
    TrafficStamps stamps;
    Duration after;
    bool PeerTimers::Due::* due;
  };
  const Row rows[] = {
      {"keepalive owed", {.owing_reply = kStart}, 10s, &PeerTimers::Due::keepalive},
      {"no reply", {.awaiting_reply = kStart}, 15s, &PeerTimers::Due::new_handshake},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.what);
    PeerTimers timers;
    EXPECT_EQ(timers.next_timeout(row.stamps), kStart + row.after);
    EXPECT_FALSE(timers.handle_timeout(kStart + row.after - 1ns, row.stamps).any());
    EXPECT_TRUE(timers.handle_timeout(kStart + row.after, row.stamps).*row.due);
  }
}

TEST(PeerTimers, AnAnswerEndsTheRetransmissions) {
  PeerTimers timers;
  timers.on_initiation_sent(kStart, 333ms);
  EXPECT_EQ(timers.next_timeout({}), kStart + 5s + 333ms);
  timers.on_handshake_done();
  EXPECT_FALSE(timers.handshake_running());
  EXPECT_EQ(timers.next_timeout({}), kNever);
}

TEST(PeerTimers, PersistentKeepaliveCountsFromTheLastTraffic) {
  PeerTimers timers;
  timers.set_persistent_keepalive(25s, kStart);
  EXPECT_EQ(timers.next_timeout({}), kStart);
  EXPECT_TRUE(timers.handle_timeout(kStart, {}).persistent_keepalive);

  const TrafficStamps stamps{.last_sent = kStart + 3s, .last_received = kStart + 7s};
  EXPECT_EQ(timers.next_timeout(stamps), kStart + 7s + 25s);
  EXPECT_FALSE(timers.handle_timeout(kStart + 31s, stamps).any());
  EXPECT_TRUE(timers.handle_timeout(kStart + 32s, stamps).persistent_keepalive);
  // Also when it could not be sent, the next is an interval away.
  EXPECT_EQ(timers.next_timeout(stamps), kStart + 32s + 25s);

  timers.set_persistent_keepalive(0s, kStart + 40s);
  EXPECT_EQ(timers.next_timeout(stamps), kNever);
}

TEST(PeerTimers, AFreshSessionPutsOffTheErasureOfKeys) {
  PeerTimers timers;
  timers.on_session_made(kStart);
  timers.on_session_made(kStart + 100s);
  EXPECT_FALSE(timers.handle_timeout(kStart + 540s, {}).erase_keys);
  EXPECT_TRUE(timers.handle_timeout(kStart + 640s, {}).erase_keys);
}

}  // namespace
}  // namespace ginnel::wg

#include "os/clock.h"

#include <gtest/gtest.h>
#include <time.h>

namespace ginnel::os {
namespace {

MonoTime boot_time() {
  timespec at{};
  clock_gettime(CLOCK_BOOTTIME, &at);
  return MonoTime(std::chrono::seconds(at.tv_sec) + std::chrono::nanoseconds(at.tv_nsec));
}

TEST(Clock, ReadsTheTimeSinceBootIncludingSleep) {
  const MonoTime before = boot_time();
  const MonoTime read = Clock().now().mono;
  const MonoTime after = boot_time();
  EXPECT_LE(before, read);
  EXPECT_LE(read, after);
}

TEST(Clock, NeverRunsBackward) {
  const Clock clock;
  MonoTime last = clock.mono();
  for (int i = 0; i < 10'000; ++i) {
    const MonoTime next = clock.mono();
    ASSERT_LE(last, next);
    last = next;
  }
}

TEST(Clock, LagsTheWallClockByOneTickAtMost) {
  const Clock clock;
  // Another reading of the exact clock on either side, so that being scheduled away does no harm.
  const UnixTime before = clock.unix_exact();
  const UnixTime coarse = clock.now().unix;
  const UnixTime after = clock.unix_exact();
  EXPECT_LE(before - 10ms, coarse);
  EXPECT_LE(coarse, after);
  EXPECT_GT(coarse.time_since_epoch(), std::chrono::hours(24 * 365 * 50));
}

}  // namespace
}  // namespace ginnel::os

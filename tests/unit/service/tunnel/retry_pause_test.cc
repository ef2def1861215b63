#include "service/tunnel/retry_pause.h"

#include <gtest/gtest.h>

namespace ginnel::tunnel {
namespace {

TEST(RetryPause, GrowsWithEachFailureUpToItsLimit) {
  RetryPause pause;
  MonoTime now = MonoTime{} + 1h;
  EXPECT_EQ(pause.until(), kNever);
  EXPECT_FALSE(pause.take_if_over(now));
  Duration expected = RetryPause::kFirst;
  for (int i = 0; i < 20; ++i) {
    pause.begin(now);
    EXPECT_EQ(pause.until(), now + expected);
    EXPECT_FALSE(pause.take_if_over(now + expected - 1ns));
    now += expected;
    EXPECT_TRUE(pause.take_if_over(now));
    EXPECT_FALSE(pause.take_if_over(now));
    expected = std::min(expected * 2, RetryPause::kMax);
  }
  EXPECT_EQ(expected, RetryPause::kMax);
}

TEST(RetryPause, IsShortAgainAfterASuccess) {
  RetryPause pause;
  for (int i = 0; i < 5; ++i) pause.begin(MonoTime{});
  pause.forget_failures();
  pause.begin(MonoTime{});
  EXPECT_EQ(pause.until(), MonoTime{} + RetryPause::kFirst);
}

}  // namespace
}  // namespace ginnel::tunnel

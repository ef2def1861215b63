#include "base/time.h"

#include <gtest/gtest.h>

namespace ginnel {
namespace {

constexpr MonoTime kStart{100s};

TEST(Deadline, IsDueAtItsTimeAndNotBefore) {
  Deadline deadline;
  deadline.arm(kStart);
  EXPECT_TRUE(deadline.armed());
  EXPECT_EQ(deadline.at(), kStart);
  EXPECT_FALSE(deadline.take_if_due(kStart - 1ns));
  EXPECT_TRUE(deadline.armed());
  EXPECT_TRUE(deadline.take_if_due(kStart));
}

TEST(Deadline, IsTakenOnce) {
  Deadline deadline;
  deadline.arm(kStart);
  EXPECT_TRUE(deadline.take_if_due(kStart + 1h));
  EXPECT_FALSE(deadline.armed());
  EXPECT_FALSE(deadline.take_if_due(kStart + 2h));
}

TEST(Deadline, KeepsTheEarlierArmingWhenAskedTo) {
  Deadline deadline;
  deadline.arm_if_idle(kStart);
  deadline.arm_if_idle(kStart - 1s);
  EXPECT_EQ(deadline.at(), kStart);
  deadline.arm(kStart + 1s);
  EXPECT_EQ(deadline.at(), kStart + 1s);
}

TEST(Deadline, NeverComesDueUnlessArmed) {
  Deadline deadline;
  EXPECT_EQ(deadline.at(), kNever);
  EXPECT_FALSE(deadline.take_if_due(kNever));
  deadline.arm(kStart);
  deadline.disarm();
  EXPECT_FALSE(deadline.take_if_due(kNever));
}

}  // namespace
}  // namespace ginnel

#include "core/wg/handshake_limiter.h"

#include <gtest/gtest.h>

#include "support/seeded_rng.h"

namespace ginnel::wg {
namespace {

using test::SeededRng;

net::Address address(std::string_view text) { return *net::Address::parse(text); }

struct HandshakeLimiterTest : testing::Test {
  int admit_many(std::string_view source, int count) {
    int admitted = 0;
    for (int i = 0; i < count; ++i) admitted += limiter.admit(now, address(source)) ? 1 : 0;
    return admitted;
  }

  SeededRng rng{1};
  HandshakeLimiter limiter{rng};
  MonoTime now = MonoTime{} + 1h;
};

TEST_F(HandshakeLimiterTest, AdmitsABurstOfFive) { EXPECT_EQ(admit_many("192.0.2.1", 100), 5); }

TEST_F(HandshakeLimiterTest, AdmitsTwentyASecondInTheLongRun) {
  EXPECT_EQ(admit_many("192.0.2.1", 100), 5);
  int admitted = 0;
  for (int i = 0; i < 10'000; ++i) {
    now += 1ms;
    admitted += admit_many("192.0.2.1", 3);
  }
  EXPECT_EQ(admitted, 200);
}

TEST_F(HandshakeLimiterTest, ReturnsOneTokenEachInterval) {
  EXPECT_EQ(admit_many("192.0.2.1", 9), 5);
  now += 50ms - 1ns;
  EXPECT_EQ(admit_many("192.0.2.1", 9), 0);
  now += 1ns;
  EXPECT_EQ(admit_many("192.0.2.1", 9), 1);
  now += 100ms;
  EXPECT_EQ(admit_many("192.0.2.1", 9), 2);
  now += 1h;
  EXPECT_EQ(admit_many("192.0.2.1", 9), 5);
}

TEST_F(HandshakeLimiterTest, CountsSourcesApart) {
  EXPECT_EQ(admit_many("192.0.2.1", 9), 5);
  EXPECT_EQ(admit_many("192.0.2.2", 9), 5);
  EXPECT_EQ(admit_many("2001:db8::1", 9), 5);
  EXPECT_EQ(admit_many("2001:db8:0:1::1", 9), 5);
}

TEST_F(HandshakeLimiterTest, TakesAnIpv6NetworkAsOneSource) {
  EXPECT_EQ(admit_many("2001:db8::1", 3), 3);
  EXPECT_EQ(admit_many("2001:db8::ffff:ffff:ffff:ffff", 3), 2);
}

// An IPv4 address and the IPv6 network with the same leading bytes are two.
TEST_F(HandshakeLimiterTest, DoesNotMistakeAFamilyForTheOther) {
  EXPECT_EQ(admit_many("0.0.0.1", 9), 5);
  EXPECT_EQ(admit_many("0:0:0:1::", 9), 5);
}

TEST_F(HandshakeLimiterTest, RefusesNewSourcesWhenFullAndForgetsQuietOnes) {
  const net::Address first = address("10.0.0.0");
  for (std::size_t i = 0; i < HandshakeLimiter::kMaxSources - 1; ++i) {
    ASSERT_TRUE(limiter.admit(now, first.plus(i)));
  }
  EXPECT_TRUE(limiter.admit(now, address("192.0.2.1")));
  EXPECT_EQ(limiter.size(), HandshakeLimiter::kMaxSources);
  EXPECT_FALSE(limiter.admit(now, address("192.0.2.2")));
  EXPECT_TRUE(limiter.admit(now, first));  // Known ones still have their share.
  EXPECT_EQ(limiter.size(), HandshakeLimiter::kMaxSources);

  now += HandshakeLimiter::kInterval;
  EXPECT_TRUE(limiter.admit(now, address("192.0.2.2")));
  EXPECT_EQ(limiter.size(), 2u);  // The one that came twice, and this one.

  now += HandshakeLimiter::kBurst * HandshakeLimiter::kInterval;
  EXPECT_TRUE(limiter.admit(now, address("192.0.2.3")));
  EXPECT_EQ(limiter.size(), 1u);
}

TEST(LoadGauge, IsUnderLoadFromItsThresholdUntilASecondOfCalm) {
  LoadGauge load;
  const MonoTime start = MonoTime{} + 1h;
  EXPECT_FALSE(load.under_load(start));

  load.note_depth(LoadGauge::kThreshold - 1, start);
  EXPECT_FALSE(load.under_load(start));
  load.note_depth(LoadGauge::kThreshold, start);
  EXPECT_TRUE(load.under_load(start));

  load.note_depth(0, start + 500ms);  // A trough does not end it,
  EXPECT_TRUE(load.under_load(start + 1s - 1ns));
  load.note_depth(LoadGauge::kThreshold + 1, start + 900ms);  // another wave prolongs it.
  EXPECT_TRUE(load.under_load(start + 1900ms - 1ns));
  EXPECT_FALSE(load.under_load(start + 1900ms));
}

TEST(LoadGauge, IsSwampedOnlyWhileTheQueueIsHalfFull) {
  LoadGauge load;
  EXPECT_FALSE(load.swamped());
  for (const std::size_t waiting : {LoadGauge::kSwamped - 1, LoadGauge::kSwamped,
                                    LoadGauge::kSwamped + 1, LoadGauge::kSwamped - 1}) {
    load.note_depth(waiting, MonoTime{} + 1h);
    EXPECT_EQ(load.swamped(), waiting >= LoadGauge::kSwamped) << waiting;
  }
}

}  // namespace
}  // namespace ginnel::wg

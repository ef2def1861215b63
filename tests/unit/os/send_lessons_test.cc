#include "os/send_lessons.h"

#include <gtest/gtest.h>

namespace ginnel::os {
namespace {

net::Endpoint endpoint(std::uint16_t port) { return {net::Address::v4({192, 0, 2, 1}), port, 0}; }
net::Address host(std::uint64_t last) { return net::Address::v4({192, 0, 2, 0}).plus(last); }

TEST(SegmentLimits, KeepsTheLowestLimitOfAnEndpointUntilItIsUsedUp) {
  SegmentLimits limits;
  EXPECT_EQ(limits.of(endpoint(1)), SegmentLimits::kNoLimit);
  limits.lower(endpoint(1), 1300);
  limits.lower(endpoint(1), 1200);
  limits.lower(endpoint(1), 1400);
  for (std::uint32_t use = 0; use < kMaxUsesOfALesson; ++use) {
    ASSERT_EQ(limits.of(endpoint(1)), 1200u);
  }
  EXPECT_EQ(limits.of(endpoint(1)), SegmentLimits::kNoLimit);
}

TEST(SegmentLimits, ForgetsSomethingWhenThereAreTooManyEndpoints) {
  SegmentLimits limits;
  constexpr std::uint16_t kMany = 4 * SegmentLimits::kMaxEndpoints;
  for (std::uint16_t port = 1; port <= kMany; ++port) {
    limits.lower(endpoint(port), port);
    EXPECT_EQ(limits.of(endpoint(port)), port);  // The newest is always known.
  }
  std::size_t known = 0;
  for (std::uint16_t port = 1; port <= kMany; ++port) {
    const std::size_t limit = limits.of(endpoint(port));
    if (limit == SegmentLimits::kNoLimit) continue;
    EXPECT_EQ(limit, port);  // Never that of another.
    ++known;
  }
  EXPECT_LE(known, SegmentLimits::kMaxEndpoints);
  EXPECT_GE(known, SegmentLimits::kMaxEndpoints / 2);
}

TEST(GoneSources, RemembersTheLatestFew) {
  constexpr std::size_t kMax = GoneSources::kMaxAddresses;
  for (const std::size_t number : {kMax - 1, kMax, kMax + 1}) {
    SCOPED_TRACE(number);
    GoneSources gone;
    EXPECT_TRUE(gone.empty());
    for (std::size_t i = 1; i <= number; ++i) gone.add(host(i));
    EXPECT_EQ(gone.contains(host(1)), number <= kMax);
    EXPECT_TRUE(gone.contains(host(number)));
    EXPECT_FALSE(gone.contains(host(99)));
    for (std::size_t i = 1; i <= number; ++i) gone.remove(host(i));
    EXPECT_TRUE(gone.empty());
  }
}

TEST(GoneSources, ForgetsWhatIsUsedUp) {
  GoneSources gone;
  gone.add(host(1));
  for (std::uint32_t use = 0; use < kMaxUsesOfALesson; ++use) ASSERT_TRUE(gone.contains(host(1)));
  EXPECT_FALSE(gone.contains(host(1)));
  EXPECT_TRUE(gone.empty());
}

}  // namespace
}  // namespace ginnel::os

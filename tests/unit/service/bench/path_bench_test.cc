// Needs root.
#include "service/bench/path_bench.h"

#include <gtest/gtest.h>
#include <net/if.h>

#include "service/bench/no_aead.h"

namespace ginnel::bench {
namespace {

constexpr Duration kShort = std::chrono::milliseconds(100);

TEST(PathBench, CarriesAStreamAndLeavesNothingBehind) {
  const auto speed = measure_path({.time = kShort});
  ASSERT_TRUE(speed) << speed.error().message;
  EXPECT_GT(speed->gbit_per_second, 0);
  EXPECT_GT(speed->cpu_seconds_per_gb, 0);
  EXPECT_EQ(if_nametoindex("inner"), 0u);
  EXPECT_EQ(if_nametoindex("outer"), 0u);
}

TEST(PathBench, LeavesCryptographyOutInBenchBuildsOnly) {
  const auto speed = measure_path({.time = kShort, .encrypted = false});
  EXPECT_EQ(speed.has_value(), has_no_aead());
  EXPECT_EQ(make_no_aead() != nullptr, has_no_aead());
  if (!speed) {
    EXPECT_EQ(speed.error().code, ErrorCode::Unsupported);
    EXPECT_NE(speed.error().message.find("GINNEL_BENCH"), std::string::npos);
  }
}

}  // namespace
}  // namespace ginnel::bench

// Needs root.
#include "service/bench/path_bench.h"

#include <gtest/gtest.h>
#include <net/if.h>

#include "service/bench/no_aead.h"

namespace ginnel::bench {
namespace {

constexpr Duration kShort = std::chrono::milliseconds(100);

TEST(PathBench, CarriesOneStreamAfterTheOtherAndLeavesNothingBehind) {
  auto path = make_path({});
  ASSERT_TRUE(path) << path.error().message;
  for (int stream = 0; stream < 3; ++stream) {
    const auto speed = (*path)->measure(kShort);
    ASSERT_TRUE(speed) << speed.error().message;
    EXPECT_GT(speed->gbit_per_second, 0);
    EXPECT_GT(speed->cpu_seconds_per_gb, 0);
  }
  path->reset();
  EXPECT_EQ(if_nametoindex("inner"), 0u);
  EXPECT_EQ(if_nametoindex("outer"), 0u);
}

TEST(PathBench, KeepsTwoPathsApart) {
  auto first = make_path({}), second = make_path({.aead = crypto::AeadLibrary::OpenSsl});
  ASSERT_TRUE(first && second);
  EXPECT_TRUE((*first)->measure(kShort));
  EXPECT_TRUE((*second)->measure(kShort));
  EXPECT_TRUE((*first)->measure(kShort));
}

TEST(PathBench, LeavesCryptographyOutInBenchBuildsOnly) {
  const auto path = make_path({.encrypted = false});
  EXPECT_EQ(path.has_value(), has_no_aead());
  EXPECT_EQ(make_no_aead() != nullptr, has_no_aead());
  if (!path) {
    EXPECT_EQ(path.error().code, ErrorCode::Unsupported);
    EXPECT_NE(path.error().message.find("GINNEL_BENCH"), std::string::npos);
  }
}

}  // namespace
}  // namespace ginnel::bench

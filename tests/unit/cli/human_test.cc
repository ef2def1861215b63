#include "cli/human.h"

#include <gtest/gtest.h>

namespace ginnel::cli {
namespace {

TEST(HumanBytes, ScaleByThousands) {
  struct Row {
    std::uint64_t bytes;
    std::string_view text;
  };
  const Row rows[] = {
      {0, "0 B"},
      {999, "999 B"},
      {1000, "1.0 kB"},
      {1049, "1.0 kB"},
      {1051, "1.1 kB"},
      {999'949, "999.9 kB"},
      {999'950, "1.0 MB"},
      {1'000'000, "1.0 MB"},
      {1'234'567'890, "1.2 GB"},
      {UINT64_MAX, "18.4 EB"},
  };
  for (const Row& row : rows) EXPECT_EQ(human_bytes(row.bytes), row.text) << row.bytes;
  EXPECT_EQ(human_rate(1500), "1.5 kB/s");
}

TEST(HumanDuration, NamesTheTwoLargestUnits) {
  struct Row {
    Duration duration;
    std::string_view text;
  };
  const Row rows[] = {
      {-5s, "0 s"},
      {0s, "0 s"},
      {59s, "59 s"},
      {60s, "1 min"},
      {3599s, "59 min"},
      {3600s, "1 h 0 min"},
      {2h + 5min, "2 h 5 min"},
      {24h, "1 d 0 h"},
      {97h, "4 d 1 h"},
  };
  for (const Row& row : rows) EXPECT_EQ(human_duration(row.duration), row.text);
}

TEST(HumanAge, OfAMomentToComeIsNow) {
  const UnixTime now{std::chrono::seconds(1'795'000'000)};
  EXPECT_EQ(human_age(now - 3min, now), "3 min ago");
  EXPECT_EQ(human_age(now + 3min, now), "now");
}

}  // namespace
}  // namespace ginnel::cli

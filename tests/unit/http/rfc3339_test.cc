#include "http/rfc3339.h"

#include <gtest/gtest.h>

namespace ginnel::http {
namespace {

UnixTime at(std::int64_t seconds, std::int64_t nanoseconds = 0) {
  return UnixTime(std::chrono::seconds(seconds) + Duration(nanoseconds));
}

TEST(Rfc3339, WritesWholeSecondsInUtc) {
  EXPECT_EQ(to_rfc3339(at(0)), "1970-01-01T00:00:00Z");
  EXPECT_EQ(to_rfc3339(at(0, -1)), "1969-12-31T23:59:59Z");
  EXPECT_EQ(to_rfc3339(at(1795254093, 999'999'999)), "2026-11-21T09:41:33Z");
  EXPECT_EQ(to_rfc3339(at(951782400)), "2000-02-29T00:00:00Z");
}

TEST(Rfc3339, ReadsOffsetsAndFractions) {
  struct Row {
    std::string_view text;
    UnixTime time;
  };
  const Row rows[] = {
      {"1970-01-01T00:00:00Z", at(0)},
      {"2026-11-21t09:41:33z", at(1795254093)},
      {"2026-11-21T10:41:33+01:00", at(1795254093)},
      {"2026-11-21T04:11:33-05:30", at(1795254093)},
      {"2026-11-21T09:41:33.5Z", at(1795254093, 500'000'000)},
      {"2026-11-21T09:41:33.1234567891Z", at(1795254093, 123'456'789)},
      {"2000-02-29T00:00:00Z", at(951782400)},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.text);
    const auto time = parse_rfc3339(row.text);
    ASSERT_TRUE(time);
    EXPECT_EQ(time->time_since_epoch().count(), row.time.time_since_epoch().count());
  }
}

TEST(Rfc3339, KeepsToTheYearsThatNanosecondsHold) {
  EXPECT_FALSE(parse_rfc3339("1677-12-31T23:59:59Z"));
  EXPECT_TRUE(parse_rfc3339("1678-01-01T00:00:00+23:59"));
  EXPECT_TRUE(parse_rfc3339("2261-12-31T23:59:59-23:59"));
  EXPECT_FALSE(parse_rfc3339("2262-01-01T00:00:00Z"));
}

TEST(Rfc3339, RefusesEverythingElse) {
  for (const std::string_view text : {"",
                                      "2026",
                                      "2026-11-21",
                                      "2026-11-21T09:41:33",
                                      "2026-11-21 09:41:33Z",
                                      "2026-11-21T09:41Z",
                                      "2026-11-21T09:41:33.Z",
                                      "2026-11-21T09:41:33+0100",
                                      "2026-11-21T09:41:33+01",
                                      "2026-11-21T09:41:33Zx",
                                      "2026-11-21T24:00:00Z",
                                      "2026-11-21T09:60:00Z",
                                      "2026-11-21T09:41:60Z",
                                      "2026-13-21T09:41:33Z",
                                      "2026-02-29T00:00:00Z",
                                      "2026-04-31T00:00:00Z",
                                      "2026-00-01T00:00:00Z",
                                      "2026-11-00T00:00:00Z",
                                      "-026-11-21T09:41:33Z",
                                      "2026--1-21T09:41:33Z",
                                      "2026-11-21T09:41:33+24:00",
                                      "2026-11-21T09:41:33.-5Z"}) {
    SCOPED_TRACE(text);
    EXPECT_FALSE(parse_rfc3339(text));
  }
}

}  // namespace
}  // namespace ginnel::http

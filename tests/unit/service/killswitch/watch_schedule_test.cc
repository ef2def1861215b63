#include "service/killswitch/watch_schedule.h"

#include <gtest/gtest.h>

namespace ginnel::killswitch {
namespace {

using Alarms = std::vector<std::string>;
constexpr MonoTime kNow{100s};

WatchSchedule begun() {
  WatchSchedule schedule;
  schedule.begin(kNow);
  return schedule;
}

TEST(WatchSchedule, LooksNowAndThenWithoutAnEvent) {
  EXPECT_EQ(begun().next_look(), kNow + WatchSchedule::kLookInterval);
}

TEST(WatchSchedule, GoesBackAtTheDeadlineAndIsThereInTime) {
  const struct {
    std::optional<MonoTime> deadline;
    bool goes_back;
    MonoTime next_look;
  } rows[] = {{std::nullopt, false, kNow + 10s}, {kNow + 60s, false, kNow + 10s},
              {kNow + 3s, false, kNow + 3s},     {kNow + 1ns, false, kNow + 1ns},
              {kNow, true, kNow + 10s},          {kNow - 1s, true, kNow + 10s}};
  for (const auto& row : rows) {
    SCOPED_TRACE(&row - rows);
    WatchSchedule schedule = begun();
    EXPECT_EQ(schedule.goes_back(kNow, row.deadline), row.goes_back);
    EXPECT_EQ(schedule.next_look(), row.next_look);
  }
}

TEST(WatchSchedule, LooksOftenWhileSomebodyAsksInClear) {
  WatchSchedule schedule = begun();
  schedule.look_within(kNow, WatchSchedule::kAskingInterval);
  EXPECT_EQ(schedule.next_look(), kNow + 1s);
  EXPECT_FALSE(schedule.goes_back(kNow, kNow + 5s));
  EXPECT_EQ(schedule.next_look(), kNow + 1s) << "a later reason holds nothing up";
}

TEST(WatchSchedule, TriesAgainSoonOnceAndThenLessOften) {
  WatchSchedule schedule = begun();
  schedule.note_outcome(kNow, false);
  EXPECT_EQ(schedule.next_look(), kNow + WatchSchedule::kRetryInterval);
  schedule.begin(kNow + 1s);
  schedule.note_outcome(kNow + 1s, false);
  EXPECT_EQ(schedule.next_look(), kNow + 11s);
  schedule.begin(kNow + 11s);
  schedule.note_outcome(kNow + 11s, true);
  EXPECT_EQ(schedule.next_look(), kNow + 21s);
  schedule.begin(kNow + 21s);
  schedule.note_outcome(kNow + 21s, false);
  EXPECT_EQ(schedule.next_look(), kNow + 21s + WatchSchedule::kRetryInterval);
}

TEST(ToldAlarms, AreEachToldOnceForAsLongAsTheyLast) {
  ToldAlarms told;
  EXPECT_EQ(told.take_new({"a", "b"}), (Alarms{"a", "b"}));
  EXPECT_EQ(told.take_new({"b", "c"}), Alarms{"c"});
  EXPECT_EQ(told.take_new({"c", "a"}), Alarms{"a"}) << "it had gone";
  EXPECT_TRUE(told.take_new({}).empty());
}

}  // namespace
}  // namespace ginnel::killswitch

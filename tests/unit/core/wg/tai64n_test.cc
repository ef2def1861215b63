#include "core/wg/tai64n.h"

#include <gtest/gtest.h>

#include "base/text.h"

namespace ginnel::wg {
namespace {

std::string hex(UnixTime now, const Tai64n& last = {}) {
  return to_hex(Tai64n::newer_than(last, now).bytes());
}

TEST(Tai64n, CountsFromTheEpochOfTheSpecification) {
  EXPECT_EQ(hex(UnixTime{}), "400000000000000a00000000");
  EXPECT_EQ(hex(UnixTime{} + 1'700'000'000s), "400000006553f10a00000000");
  EXPECT_EQ(hex(UnixTime{} - 1s), "400000000000000900000000");
  EXPECT_EQ(hex(UnixTime{} - 1ns), "40000000000000093b000000");
}

TEST(Tai64n, RoundsDownToItsStep) {
  constexpr std::chrono::nanoseconds kStep{Tai64n::kStepNanoseconds};
  EXPECT_EQ(hex(UnixTime{} + kStep - 1ns), "400000000000000a00000000");
  EXPECT_EQ(hex(UnixTime{} + kStep), "400000000000000a01000000");
  EXPECT_EQ(hex(UnixTime{} + 2 * kStep - 1ns), "400000000000000a01000000");
  EXPECT_EQ(hex(UnixTime{} + 999'999'999ns), "400000000000000a3b000000");
}

TEST(Tai64n, IsOrderedAsTimeIs) {
  const UnixTime now = UnixTime{} + 1'700'000'000s;
  const Tai64n time = Tai64n::newer_than({}, now);
  EXPECT_GT(time, Tai64n());
  EXPECT_GT(Tai64n::newer_than({}, now + 20ms), time);
  EXPECT_GT(Tai64n::newer_than({}, now + 1s), time);
  EXPECT_LT(Tai64n::newer_than({}, now - 1s), time);
  EXPECT_EQ(Tai64n::newer_than({}, now + 1ms), time);
  EXPECT_EQ(Tai64n(time.bytes()), time);
}

// A clock that stands still or was set back, across the end of a second.
TEST(Tai64n, GrowsEvenWhenTheClockDoesNot) {
  const UnixTime now = UnixTime{} + 1'700'000'000s;
  Tai64n last = Tai64n::newer_than({}, now);
  for (int i = 0; i < 200; ++i) {
    const Tai64n next = Tai64n::newer_than(last, i % 2 == 0 ? now : now - 1h);
    ASSERT_GT(next, last) << i;
    ASSERT_LT(load<Be32>(next.bytes().subspan(8)), 1'000'000'000u) << i;
    last = next;
  }
  EXPECT_LT(last, Tai64n::newer_than({}, now + 5s));
  EXPECT_EQ(hex(now + 5s, last), hex(now + 5s));
}

}  // namespace
}  // namespace ginnel::wg

#include "core/wg/replay_window.h"

#include <gtest/gtest.h>

#include <set>

#include "support/seeded_rng.h"

namespace ginnel::wg {
namespace {

TEST(ReplayWindow, AcceptsEachCounterOnce) {
  ReplayWindow window;
  EXPECT_TRUE(window.accept(0));
  EXPECT_FALSE(window.accept(0));
  EXPECT_TRUE(window.accept(2));
  EXPECT_TRUE(window.accept(1));
  EXPECT_FALSE(window.accept(2));
  EXPECT_FALSE(window.accept(1));
}

TEST(ReplayWindow, SpansAtLeastEightThousandCounters) {
  static_assert(ReplayWindow::kWindow >= 8000);
  constexpr std::uint64_t kNewest = 1'000'000;
  const std::pair<std::uint64_t, bool> rows[] = {
      {kNewest - ReplayWindow::kWindow + 2, true},
      {kNewest - ReplayWindow::kWindow + 1, true},
      {kNewest - ReplayWindow::kWindow, false},
      {kNewest - ReplayWindow::kWindow - 1, false},
      {0, false},
  };
  for (const auto& [counter, accepted] : rows) {
    SCOPED_TRACE(counter);
    ReplayWindow window;
    ASSERT_TRUE(window.accept(kNewest));
    EXPECT_EQ(window.accept(counter), accepted);
  }
}

TEST(ReplayWindow, ForgetsTheRingWhenCountersJumpFar) {
  ReplayWindow window;
  for (std::uint64_t i = 0; i < 9000; ++i) ASSERT_TRUE(window.accept(i));
  ASSERT_TRUE(window.accept(1'000'000'000));
  // The same places in the ring as counters accepted above.
  for (std::uint64_t i = 1; i < ReplayWindow::kWindow; ++i) {
    ASSERT_TRUE(window.accept(1'000'000'000 - i)) << i;
  }
}

TEST(ReplayWindow, AgreesWithASetOnRandomCounters) {
  test::SeededRng rng(7);
  ReplayWindow window;
  std::set<std::uint64_t> seen;
  std::uint64_t greatest = 0;
  bool any = false;
  for (int step = 0; step < 200'000; ++step) {
    std::uint64_t counter = greatest + rng.below(30);
    counter -= std::min(counter, rng.below(rng.below(20) == 0 ? 9000 : 60));
    if (rng.below(5000) == 0) counter += rng.below(20'000);
    const bool in_window = !any || counter > greatest || greatest - counter < ReplayWindow::kWindow;
    const bool expected = in_window && !seen.contains(counter);
    ASSERT_EQ(window.would_accept(counter), expected) << counter;
    ASSERT_EQ(window.accept(counter), expected) << counter;
    seen.insert(counter);
    greatest = std::max(greatest, counter);
    any = true;
  }
}

}  // namespace
}  // namespace ginnel::wg

#include "core/wg/deadline_queue.h"

#include <gtest/gtest.h>

#include <map>

#include "support/seeded_rng.h"

namespace ginnel::wg {
namespace {

MonoTime at(std::int64_t seconds) { return MonoTime{} + std::chrono::seconds(seconds); }

TEST(DeadlineQueue, GivesPeersInTheOrderOfTheirDeadlines) {
  DeadlineQueue queue;
  queue.set(PeerSlot{1}, at(30));
  queue.set(PeerSlot{2}, at(10));
  queue.set(PeerSlot{3}, at(20));

  EXPECT_EQ(queue.next(), at(10));
  EXPECT_EQ(queue.take_due(at(9)), kNoPeer);
  EXPECT_EQ(queue.take_due(at(25)), PeerSlot{2});
  EXPECT_EQ(queue.take_due(at(25)), PeerSlot{3});
  EXPECT_EQ(queue.take_due(at(25)), kNoPeer);
  EXPECT_EQ(queue.next(), at(30));
}

TEST(DeadlineQueue, AgreesWithAMapOnRandomChanges) {
  test::SeededRng rng(3);
  DeadlineQueue queue;
  std::map<PeerSlot, MonoTime> model;
  for (int step = 0; step < 50'000; ++step) {
    const PeerSlot slot{static_cast<std::uint32_t>(rng.below(40))};
    if (rng.below(4) == 0) {
      queue.remove(slot);
      model.erase(slot);
    } else if (rng.below(5) == 0 && !model.empty()) {
      const PeerSlot due = queue.take_due(kNever - 1ns);
      const auto earliest =
          std::min_element(model.begin(), model.end(),
                           [](const auto& a, const auto& b) { return a.second < b.second; });
      ASSERT_EQ(due, earliest->first);
      model.erase(due);
    } else {
      const MonoTime when = at(std::int64_t(rng.below(1000)));
      queue.set(slot, when);
      model[slot] = when;
    }
    MonoTime next = kNever;
    for (const auto& [s, when] : model) next = std::min(next, when);
    ASSERT_EQ(queue.next(), next);
    ASSERT_EQ(queue.size(), model.size());
  }
}

}  // namespace
}  // namespace ginnel::wg

#include "base/bounded_queue.h"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

namespace ginnel {
namespace {

TEST(BoundedQueue, RefusesBeyondItsCapacityAndLeavesTheValueAlone) {
  BoundedQueue<std::unique_ptr<int>> queue(2);
  EXPECT_TRUE(queue.push(std::make_unique<int>(1)));
  EXPECT_TRUE(queue.push(std::make_unique<int>(2)));
  auto third = std::make_unique<int>(3);

  EXPECT_FALSE(queue.push(std::move(third)));

  ASSERT_NE(third, nullptr);
  EXPECT_EQ(*third, 3);
  EXPECT_EQ(queue.size(), 2u);
  EXPECT_EQ(queue.capacity(), 2u);
}

TEST(BoundedQueue, GivesBackInOrderAndHasRoomAgain) {
  BoundedQueue<int> queue(2);
  EXPECT_TRUE(queue.push(1));
  EXPECT_TRUE(queue.push(2));

  EXPECT_EQ(queue.pop(), 1);
  EXPECT_TRUE(queue.push(3));
  EXPECT_EQ(queue.pop(), 2);
  EXPECT_EQ(queue.pop(), 3);
  EXPECT_EQ(queue.pop(), std::nullopt);
}

TEST(BoundedQueue, DrainsBehindWhatTheCallerHas) {
  BoundedQueue<int> queue(3);
  for (int i = 1; i <= 3; ++i) EXPECT_TRUE(queue.push(int{i}));
  std::vector<int> out = {0};

  queue.drain(out);

  EXPECT_EQ(out, (std::vector<int>{0, 1, 2, 3}));
  EXPECT_EQ(queue.size(), 0u);
}

TEST(BoundedQueueDeathTest, CannotBeMadeWithoutRoom) {
  EXPECT_DEATH(BoundedQueue<int>(0), "capacity > 0");
}

// Every value arrives once, and those of one producer in order, whoever takes them.
TEST(BoundedQueue, LosesNothingBetweenThreads) {
  constexpr int kProducers = 2;
  constexpr int kEach = 5'000;
  struct Item {
    int producer;
    int number;
  };
  BoundedQueue<Item> queue(16);
  std::vector<std::jthread> producers;
  for (int producer = 0; producer < kProducers; ++producer) {
    producers.emplace_back([&queue, producer] {
      for (int number = 0; number < kEach;) {
        if (queue.push({producer, number})) {
          ++number;
        } else {
          std::this_thread::yield();
        }
      }
    });
  }

  std::array<int, kProducers> next{};
  std::vector<Item> batch;
  for (int taken = 0; taken < kProducers * kEach;) {
    queue.drain(batch);
    if (batch.empty()) std::this_thread::yield();
    for (const Item& item : batch) {
      EXPECT_EQ(item.number, next[std::size_t(item.producer)]++);
      ++taken;
    }
    batch.clear();
  }

  EXPECT_EQ(queue.pop().has_value(), false);
}

}  // namespace
}  // namespace ginnel

#include "core/dns/cache.h"

#include <gtest/gtest.h>

namespace ginnel::dns {
namespace {

constexpr MonoTime kStart{};

StoredAnswer answer_of(std::size_t bytes) { return {.bytes = Bytes(bytes), .ttl_places = {}}; }

TEST(Cache, GivesAnAnswerUntilItsTimeIsOver) {
  Cache cache;
  cache.put(kStart, "a", answer_of(50), 60);
  ASSERT_TRUE(cache.find(kStart + 59999ms, "a"));
  EXPECT_EQ(cache.find(kStart + 59999ms, "a")->age_seconds, 59u);
  EXPECT_FALSE(cache.find(kStart + 60s, "a"));
  EXPECT_EQ(cache.size(), 0u);
  EXPECT_EQ(cache.bytes(), 0u);
}

TEST(Cache, KeepsNothingWithoutATtl) {
  Cache cache;
  cache.put(kStart, "a", answer_of(50), 60);
  cache.put(kStart, "a", answer_of(50), 0);
  EXPECT_FALSE(cache.find(kStart, "a"));
}

TEST(Cache, ReplacesAnAnswer) {
  Cache cache;
  cache.put(kStart, "a", answer_of(50), 60);
  cache.put(kStart + 10s, "a", answer_of(70), 60);
  EXPECT_EQ(cache.find(kStart + 69s, "a")->answer->bytes.size(), 70u);
  EXPECT_EQ(cache.size(), 1u);
}

TEST(Cache, ForgetsWhatWasUsedLongestAgo) {
  Cache cache;
  for (std::size_t i = 0; i < Cache::kMaxEntries; ++i) {
    cache.put(kStart, std::to_string(i), answer_of(20), 60);
  }
  EXPECT_EQ(cache.size(), Cache::kMaxEntries);
  EXPECT_TRUE(cache.find(kStart, "0"));
  cache.put(kStart, "one more", answer_of(20), 60);
  EXPECT_EQ(cache.size(), Cache::kMaxEntries);
  EXPECT_TRUE(cache.find(kStart, "0"));
  EXPECT_FALSE(cache.find(kStart, "1"));
}

TEST(Cache, StaysWithinItsBytes) {
  Cache cache;
  for (std::size_t i = 0; i < 2 * Cache::kMaxBytes / Cache::kMaxAnswerBytes; ++i) {
    cache.put(kStart, std::to_string(i), answer_of(Cache::kMaxAnswerBytes), 60);
    ASSERT_LE(cache.bytes(), Cache::kMaxBytes);
  }
  EXPECT_GT(cache.bytes(), Cache::kMaxBytes - 2 * Cache::kMaxAnswerBytes);
  cache.put(kStart, "huge", answer_of(Cache::kMaxAnswerBytes + 1), 60);
  EXPECT_FALSE(cache.find(kStart, "huge"));
  cache.clear();
  EXPECT_EQ(cache.bytes(), 0u);
}

}  // namespace
}  // namespace ginnel::dns

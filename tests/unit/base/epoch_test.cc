#include "base/epoch.h"

#include <gtest/gtest.h>

#include <deque>
#include <thread>

namespace ginnel {
namespace {

TEST(Epoch, DisposesAtOnceWhenNobodyReads) {
  EpochDomain domain;
  bool disposed = false;
  domain.retire([&] { disposed = true; });
  EXPECT_FALSE(disposed);
  EXPECT_EQ(domain.waiting(), 1u);

  domain.collect();

  EXPECT_TRUE(disposed);
  EXPECT_EQ(domain.waiting(), 0u);
}

TEST(Epoch, KeepsWhatAReaderInsideAnOlderTurnMaySee) {
  EpochDomain domain;
  EpochDomain::Reader reader(domain);
  bool disposed = false;
  reader.enter();
  domain.retire([&] { disposed = true; });

  domain.collect();
  EXPECT_FALSE(disposed);

  reader.enter();  // The next turn gives up what the one before found.
  domain.collect();
  EXPECT_TRUE(disposed);
}

TEST(Epoch, DoesNotWaitForAReaderThatLeft) {
  EpochDomain domain;
  EpochDomain::Reader reader(domain);
  reader.enter();
  reader.leave();
  bool disposed = false;
  domain.retire([&] { disposed = true; });

  domain.collect();

  EXPECT_TRUE(disposed);
}

TEST(Epoch, WaitsForTheOldestOfSeveralReaders) {
  EpochDomain domain;
  EpochDomain::Reader old(domain);
  EpochDomain::Reader young(domain);
  int disposed = 0;
  old.enter();
  domain.retire([&] { ++disposed; });
  young.enter();
  domain.retire([&] { ++disposed; });

  domain.collect();
  EXPECT_EQ(disposed, 0);

  old.leave();
  domain.collect();
  EXPECT_EQ(disposed, 1);  // `young` entered after the first was unlinked.

  young.leave();
  domain.collect();
  EXPECT_EQ(disposed, 2);
}

TEST(Epoch, DestroysObjectsItTookOver) {
  struct Traced {
    explicit Traced(bool& flag) : gone(flag) {}
    ~Traced() { gone = true; }
    bool& gone;
  };
  EpochDomain domain;
  bool gone = false;
  domain.retire(std::make_unique<Traced>(gone));
  domain.retire(std::unique_ptr<Traced>());

  EXPECT_EQ(domain.waiting(), 1u);
  domain.collect();

  EXPECT_TRUE(gone);
}

TEST(Epoch, LetsADisposalRetireMore) {
  bool inner = false;
  {
    EpochDomain domain;
    domain.retire([&] { domain.retire([&] { domain.retire([&] { inner = true; }); }); });
    domain.collect();
    EXPECT_FALSE(inner);
  }
  EXPECT_TRUE(inner);  // The domain does not die before all it took over.
}

TEST(Epoch, HasRoomForItsLimitOfReadersAndTakesThePlacesOfThoseGone) {
  EpochDomain domain;
  std::deque<EpochDomain::Reader> readers;
  for (std::size_t i = 0; i < EpochDomain::kMaxReaders; ++i) readers.emplace_back(domain);
  readers.pop_front();

  readers.emplace_back(domain);

  EXPECT_EQ(readers.size(), EpochDomain::kMaxReaders);
}

TEST(EpochDeathTest, RefusesOneReaderMoreThanItsLimit) {
  EpochDomain domain;
  std::deque<EpochDomain::Reader> readers;
  for (std::size_t i = 0; i < EpochDomain::kMaxReaders; ++i) readers.emplace_back(domain);
  EXPECT_DEATH(EpochDomain::Reader one_more(domain), "kMaxReaders");
}

// What readers find behind the pointer is alive for the whole turn: a freed object holds no canary,
// and the sanitizers see the use of it.
TEST(Epoch, ProtectsReadersOnOtherThreads) {
  static constexpr std::uint64_t kCanary = 0x5afe5afe5afe5afe;
  static constexpr int kSwaps = 2'000;
  struct Node {
    ~Node() { canary = 0; }
    std::uint64_t canary = kCanary;
  };
  EpochDomain domain;
  std::atomic<Node*> shared = new Node;
  std::atomic<std::uint64_t> broken = 0;
  std::atomic<int> reading = 0;
  {
    std::vector<std::jthread> readers;
    for (int i = 0; i < 2; ++i) {
      readers.emplace_back([&](const std::stop_token& stop) {
        EpochDomain::Reader reader(domain);
        while (!stop.stop_requested()) {
          reader.enter();
          const Node* node = shared.load(std::memory_order_acquire);
          for (int look = 0; look < 8; ++look) broken += node->canary != kCanary;
          reader.leave();
          ++reading;
        }
      });
    }
    while (reading < 2) std::this_thread::yield();
    for (int i = 0; i < kSwaps; ++i) {
      domain.retire(std::unique_ptr<Node>(shared.exchange(new Node)));
      domain.collect();
    }
  }
  domain.collect();

  EXPECT_EQ(broken, 0u);
  EXPECT_EQ(domain.waiting(), 0u);
  delete shared.load();
}

}  // namespace
}  // namespace ginnel

#include "os/poller.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <thread>

#include "os/clock.h"
#include "os/event_fd.h"

namespace ginnel::os {
namespace {

struct Pair {
  Pair() {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) != 0) std::abort();
    ours = Fd(ends[0]);
    theirs = Fd(ends[1]);
  }
  Fd ours, theirs;
};

Poller poller_for_tests() {
  Result<Poller> poller = Poller::create();
  if (!poller) std::abort();
  return std::move(*poller);
}

TEST(Poller, ReportsWhatIsReadyByItsToken) {
  Poller poller = poller_for_tests();
  Pair silent, talking;
  ASSERT_TRUE(poller.add(silent.ours.get(), 1, Interest::Read));
  ASSERT_TRUE(poller.add(talking.ours.get(), ~0ull, Interest::ReadAndWrite));
  ASSERT_EQ(write(talking.theirs.get(), "x", 1), 1);

  const auto ready = poller.wait_until(kNever);

  ASSERT_EQ(ready.size(), 1u);
  EXPECT_EQ(ready[0].token, ~0ull);
  EXPECT_TRUE(ready[0].readable);
  EXPECT_TRUE(ready[0].writable);
  EXPECT_FALSE(ready[0].failed);
}

TEST(Poller, WatchesAllThatThereAre) {
  Pair silent, talking;
  const Poller::Watched watched[] = {{silent.ours.get(), 1}, {-1, 2}, {talking.ours.get(), 3}};
  auto poller = Poller::watching(watched);
  ASSERT_TRUE(poller);
  ASSERT_EQ(write(talking.theirs.get(), "x", 1), 1);
  const auto ready = poller->wait_until(kNever);
  ASSERT_EQ(ready.size(), 1u);
  EXPECT_EQ(ready[0].token, 3u);
  const Poller::Watched twice[] = {{silent.ours.get(), 1}, {silent.ours.get(), 2}};
  EXPECT_FALSE(Poller::watching(twice));
}

TEST(Poller, IsLevelTriggeredAndForgetsWhatIsChangedOrRemoved) {
  Poller poller = poller_for_tests();
  Pair pair;
  ASSERT_TRUE(poller.add(pair.ours.get(), 7, Interest::Write));
  EXPECT_EQ(poller.wait_until(kNever).size(), 1u);
  EXPECT_EQ(poller.wait_until(kNever).size(), 1u);

  ASSERT_TRUE(poller.change(pair.ours.get(), 7, Interest::Read));
  EXPECT_EQ(poller.wait_until(MonoTime{}).size(), 0u);

  ASSERT_TRUE(poller.change(pair.ours.get(), 7, Interest::Write));
  ASSERT_TRUE(poller.remove(pair.ours.get()));
  EXPECT_EQ(poller.wait_until(MonoTime{}).size(), 0u);
}

TEST(Poller, ReportsAHangUpAsReadable) {
  Poller poller = poller_for_tests();
  Pair pair;
  ASSERT_TRUE(poller.add(pair.ours.get(), 1, Interest::Read));
  pair.theirs.close();
  const auto ready = poller.wait_until(kNever);
  ASSERT_EQ(ready.size(), 1u);
  EXPECT_TRUE(ready[0].readable);
}

TEST(Poller, WaitsUntilItsDeadlineAndNotLess) {
  Poller poller = poller_for_tests();
  const Clock clock;
  for (const Duration wait : {Duration(1), Duration(100us), Duration(3ms), Duration(1'500us)}) {
    SCOPED_TRACE(wait.count());
    const MonoTime deadline = clock.mono() + wait;
    EXPECT_TRUE(poller.wait_until(deadline).empty());
    EXPECT_GE(clock.mono(), deadline);
  }
}

TEST(Poller, LooksWithoutWaitingWhenTheDeadlineHasPassed) {
  Poller poller = poller_for_tests();
  Pair pair;
  ASSERT_TRUE(poller.add(pair.ours.get(), 1, Interest::Write));
  EXPECT_EQ(poller.wait_until(MonoTime{}).size(), 1u);
  EXPECT_EQ(poller.wait_until(Clock().mono() - 1s).size(), 1u);
}

TEST(Poller, GivesEveryDescriptorItsTurnWhenMoreAreReadyThanFit) {
  for (const std::size_t count :
       {Poller::kMaxReady - 1, Poller::kMaxReady, Poller::kMaxReady + 1}) {
    SCOPED_TRACE(count);
    Poller poller = poller_for_tests();
    std::vector<Pair> pairs(count);
    for (std::size_t i = 0; i < count; ++i) {
      ASSERT_TRUE(poller.add(pairs[i].ours.get(), i, Interest::Write));
    }
    std::vector<bool> seen(count, false);
    EXPECT_EQ(poller.wait_until(kNever).size(), std::min(count, Poller::kMaxReady));
    for (int turn = 0; turn < 2; ++turn) {
      for (const Ready& ready : poller.wait_until(kNever)) seen[ready.token] = true;
    }
    EXPECT_EQ(std::count(seen.begin(), seen.end(), false), 0);
  }
}

TEST(Poller, NamesTheDescriptorItCannotPoll) {
  Poller poller = poller_for_tests();
  const Status added = poller.add(12345, 1, Interest::Read);
  ASSERT_FALSE(added);
  EXPECT_EQ(added.error().message, "poll descriptor 12345: Bad file descriptor");
}

TEST(EventFd, WakesAThreadThatWaits) {
  Poller poller = poller_for_tests();
  const auto event = EventFd::create();
  ASSERT_TRUE(event);
  ASSERT_TRUE(poller.add(event->fd(), 1, Interest::Read));

  std::jthread other([&] { event->raise(); });
  const auto ready = poller.wait_until(kNever);

  EXPECT_EQ(ready.size(), 1u);
}

TEST(EventFd, IsOneFlagHoweverOftenItIsRaised) {
  const auto event = EventFd::create();
  ASSERT_TRUE(event);
  EXPECT_FALSE(event->take());
  event->raise();
  event->raise();
  EXPECT_TRUE(event->take());
  EXPECT_FALSE(event->take());
}

}  // namespace
}  // namespace ginnel::os

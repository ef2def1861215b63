#include "service/tunnel/thread_priority.h"

#include <gtest/gtest.h>
#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "os/clock.h"
#include "os/poller.h"

namespace ginnel::tunnel {
namespace {

// The calling thread on one CPU alone, whichever it runs on.
cpu_set_t stay_here() {
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(static_cast<std::size_t>(sched_getcpu()), &one);
  sched_setaffinity(0, sizeof one, &one);
  return one;
}

bool may_be_real_time() {
  bool may = false;
  std::jthread([&] { may = os::set_thread_real_time(); }).join();
  return may;
}

// Needs root. Whether threads may run in real time is up to the container.
TEST(ThreadPriority, ComesBeforeEverybodyWhileOthersKeepALightThreadFromRunning) {
  const bool may = may_be_real_time();
  std::jthread([&] {
    const cpu_set_t here = stay_here();
    std::jthread rival([here](const std::stop_token& stop) {
      sched_setaffinity(0, sizeof here, &here);
      os::set_thread_nice(ThreadPriority::kLightNice);
      while (!stop.stop_requested()) {
      }
    });
    const os::Clock clock;
    auto poller = os::Poller::create();
    ASSERT_TRUE(poller);
    ThreadPriority priority;
    priority.begin();
    const auto thread = static_cast<id_t>(gettid());
    const auto has_priority = [&] {
      return may ? sched_getscheduler(0) == (SCHED_FIFO | SCHED_RESET_ON_FORK)
                 : getpriority(PRIO_PROCESS, thread) == ThreadPriority::kLightNice;
    };
    const MonoTime limit = clock.mono() + 20s;
    while (!has_priority() && clock.mono() < limit) {
      poller->wait_until(clock.mono() + 1ms);  // As a worker does to which something comes.
      priority.judge(clock.mono());
    }
    EXPECT_TRUE(has_priority());

    // It takes its turn again as soon as it works much.
    const auto takes_turn = [&] {
      return sched_getscheduler(0) == SCHED_OTHER &&
             getpriority(PRIO_PROCESS, thread) == ThreadPriority::kNice;
    };
    while (!takes_turn() && clock.mono() < limit) priority.judge(clock.mono());
    EXPECT_TRUE(takes_turn());
  }).join();
}

}  // namespace
}  // namespace ginnel::tunnel

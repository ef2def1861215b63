#include "os/process.h"

#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <thread>

#include "in_child.h"
#include "temporary_directory.h"

namespace ginnel::os {
namespace {

TEST(Process, CountsOnlyTheCpusItMayUse) {
  EXPECT_GE(cpu_count(), 1u);
  EXPECT_LE(cpu_count(), std::thread::hardware_concurrency());
  EXPECT_EQ(in_child([] {
              cpu_set_t one, allowed;
              CPU_ZERO(&one);
              sched_getaffinity(0, sizeof allowed, &allowed);
              int first = 0;
              while (!CPU_ISSET(first, &allowed)) ++first;
              CPU_SET(first, &one);
              if (sched_setaffinity(0, sizeof one, &one) != 0) return 100;
              return static_cast<int>(cpu_count());
            }),
            1);
}

TEST(Process, CountsTheCpuTimeOfThreadsThatHaveEnded) {
  const Duration before = process_cpu_time();
  Duration theirs{};
  std::thread([&] {
    while (thread_cpu_time() < std::chrono::milliseconds(20)) {
    }
    theirs = thread_cpu_time();
  }).join();
  EXPECT_GE(process_cpu_time() - before, theirs);
}

TEST(Process, RoundsTheQuotaOfAContainerUp) {
  struct Row {
    const char* text;
    unsigned cpus;
  };
  for (const Row& row :
       {Row{"max 100000\n", 0}, Row{"100000 100000\n", 1}, Row{"150000 100000\n", 2},
        Row{"200000 100000", 2}, Row{"1 100000\n", 1}, Row{"", 0}, Row{"7", 0}, Row{"0 100000", 0},
        Row{"1 0", 0}, Row{"-1 100000", 0}, Row{"100000 100000 3", 0}}) {
    EXPECT_EQ(cpus_of_quota(row.text), row.cpus) << row.text;
  }
}

TEST(Process, SeesItsMemoryGrow) {
  const std::size_t before = resident_bytes();
  EXPECT_GT(before, 100u << 10);
  // Fresh from the kernel: the heap may have memory that is resident already.
  constexpr std::size_t kBytes = 8 << 20;
  void* const used =
      mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(used, MAP_FAILED);
  std::memset(used, 1, kBytes);
  EXPECT_GE(resident_bytes(), before + kBytes / 2);
  munmap(used, kBytes);
}

TEST(Process, CountsTheCpuTimeOfTheThreadAlone) {
  const Duration before = thread_cpu_time();
  Duration others{};
  std::jthread([&others] {
    while (others < 20ms) others = thread_cpu_time();
  }).join();
  const Duration while_waiting = thread_cpu_time() - before;
  EXPECT_LT(while_waiting, others);
  while (thread_cpu_time() - before < 1ms) {
  }
}

TEST(Process, NamesItsThreads) {
  const auto name_after = [](const std::string& name) {
    std::string seen;
    std::jthread([&] {
      set_thread_name(name);
      seen = contents_of("/proc/thread-self/comm");
    }).join();
    if (seen.ends_with('\n')) seen.pop_back();
    return seen;
  };
  EXPECT_EQ(name_after("worker-1"), "worker-1");
  const std::string longest(kMaxThreadName, 'x');
  EXPECT_EQ(name_after(longest), longest);
  EXPECT_EQ(name_after(longest + "x"), longest);
}

TEST(Process, GivesOneThreadANiceValue) {
  const int before = getpriority(PRIO_PROCESS, 0);
  std::pair<bool, int> seen;
  std::jthread([&] {
    const bool set = set_thread_nice(17);
    seen = {set, getpriority(PRIO_PROCESS, 0)};
  }).join();
  EXPECT_EQ(seen, std::pair(true, 17));
  EXPECT_EQ(getpriority(PRIO_PROCESS, 0), before);
}

TEST(Process, GivesOneThreadATimeSlice) {
  struct {
    std::uint32_t size, policy;
    std::uint64_t flags;
    std::int32_t nice;
    std::uint32_t priority;
    std::uint64_t runtime, deadline, period;
  } read{};
  std::jthread([&] {
    EXPECT_TRUE(set_thread_nice(3, 200us));
    EXPECT_EQ(getpriority(PRIO_PROCESS, static_cast<id_t>(gettid())), 3);
    syscall(SYS_sched_getattr, 0, &read, sizeof read, 0);
  }).join();
  // Kernels before 6.12, and some sandboxes, have none.
  EXPECT_TRUE(read.runtime == 200'000 || read.runtime == 0) << read.runtime;
}

// Needs root. Whether it may is up to the container: CAP_SYS_RESOURCE.
TEST(Process, SaysWhetherThreadsMayTakeALowNiceValue) {
  constexpr int kNotAllowed = 0, kAllowed = 1 + 4;
  const int did = in_child([] {
    const bool allowed = allow_thread_nice(-3);
    if (setresuid(65534, 65534, 65534) != 0) return 100;
    return allowed + 2 * set_thread_nice(-4) + 4 * set_thread_nice(-3) + 8 * allow_thread_nice(-5);
  });
  EXPECT_TRUE(did == kAllowed || did == kNotAllowed) << did;
}

TEST(Process, KnowsTheNamesOfOthers) {
  EXPECT_EQ(process_name(getpid()), "unit_os");
  EXPECT_EQ(process_name(getpid()), process_name(process_id()));
  EXPECT_EQ(process_name(1 << 30), "");
}

}  // namespace
}  // namespace ginnel::os

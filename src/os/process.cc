#include "os/process.h"

#include <fmt/format.h>
#include <pthread.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>

#include "base/text.h"
#include "os/file.h"

namespace ginnel::os {
namespace {

constexpr std::size_t kMaxProcFileBytes = 4096;
constexpr const char* kCgroupRoot = "/sys/fs/cgroup";

// What sched_setattr(2) takes, in its first version. The kernel's header cannot be included beside
// <sched.h>.
struct SchedulingAttributes {
  std::uint32_t size = sizeof(SchedulingAttributes);
  std::uint32_t policy = SCHED_OTHER;
  std::uint64_t flags = 0;
  std::int32_t nice = 0;
  std::uint32_t priority = 0;
  std::uint64_t runtime = 0;  // Of SCHED_OTHER: the slice, in nanoseconds.
  std::uint64_t deadline = 0;
  std::uint64_t period = 0;
};
static_assert(sizeof(SchedulingAttributes) == 48);

Duration read_cpu_clock(clockid_t clock) {
  timespec used{};
  clock_gettime(clock, &used);
  return std::chrono::seconds(used.tv_sec) + std::chrono::nanoseconds(used.tv_nsec);
}

// The directory of this process's cgroup and those above it, each of which may set a quota.
// /proc/self/cgroup has the line "0::/system.slice/ginnel.service".
unsigned quota_of_cgroups() {
  const auto membership = read_file("/proc/self/cgroup", kMaxProcFileBytes);
  if (!membership) return 0;
  unsigned least = 0;
  for (const std::string_view line : split(*membership, '\n')) {
    if (!line.starts_with("0::/")) continue;
    std::string path(line.substr(3));
    for (;;) {
      const std::string base = path == "/" ? "" : path;
      const auto cpu_max = read_file(kCgroupRoot + base + "/cpu.max", kMaxProcFileBytes);
      const unsigned cpus = cpu_max ? cpus_of_quota(*cpu_max) : 0;
      if (cpus != 0) least = least == 0 ? cpus : std::min(least, cpus);
      if (path == "/" || path.empty()) break;
      path.resize(std::max<std::size_t>(path.rfind('/'), 1));
    }
  }
  return least;
}

}  // namespace

unsigned cpus_of_quota(std::string_view cpu_max) {
  const auto fields = split(trim(cpu_max), ' ');
  if (fields.size() != 2) return 0;
  constexpr std::uint64_t kMost = 1'000'000'000'000;
  const auto quota = parse_number<std::uint64_t>(fields[0], 1, kMost);
  const auto period = parse_number<std::uint64_t>(fields[1], 1, kMost);
  if (!quota || !period) return 0;
  return static_cast<unsigned>(std::min<std::uint64_t>((*quota + *period - 1) / *period, 1 << 16));
}

unsigned cpu_count() {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  // Fails on machines of more than 1024 CPUs, where there is no shortage.
  const bool known = sched_getaffinity(0, sizeof allowed, &allowed) == 0;
  const long online = sysconf(_SC_NPROCESSORS_ONLN);
  const auto usable =
      static_cast<unsigned>(std::max<long>(known ? CPU_COUNT(&allowed) : online, 1));
  const unsigned quota = quota_of_cgroups();
  return quota == 0 ? usable : std::min(usable, quota);
}

std::size_t resident_bytes() {
  const auto text = read_file("/proc/self/statm", kMaxProcFileBytes);
  if (!text) return 0;
  const auto fields = split(trim(*text), ' ');
  const auto pages =
      fields.size() > 1 ? parse_number<std::size_t>(fields[1], 0, SIZE_MAX >> 16) : std::nullopt;
  return pages.value_or(0) * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

Duration thread_cpu_time() { return read_cpu_clock(CLOCK_THREAD_CPUTIME_ID); }

Duration process_cpu_time() { return read_cpu_clock(CLOCK_PROCESS_CPUTIME_ID); }

void set_thread_name(std::string_view name) {
  pthread_setname_np(pthread_self(), std::string(name.substr(0, kMaxThreadName)).c_str());
}

bool set_thread_nice(int nice, Duration slice) {
  SchedulingAttributes wanted;
  wanted.nice = nice;
  wanted.runtime = static_cast<std::uint64_t>(slice.count());
  if (syscall(SYS_sched_setattr, 0, &wanted, 0) == 0) return true;
  // Where a sandbox knows no slices. POSIX has this set the whole process; Linux sets the one
  // thread that is named.
  return setpriority(PRIO_PROCESS, static_cast<id_t>(gettid()), nice) == 0;
}

bool allow_thread_nice(int nice) {
  rlimit limit{};
  if (getrlimit(RLIMIT_NICE, &limit) != 0) return false;
  const auto wanted = static_cast<rlim_t>(20 - nice);  // The limit counts from 1 (19) to 40 (-20).
  limit.rlim_cur = std::max(limit.rlim_cur, wanted);
  limit.rlim_max = std::max(limit.rlim_max, wanted);
  return setrlimit(RLIMIT_NICE, &limit) == 0;
}

pid_t process_id() { return getpid(); }

std::string kernel_release() {
  utsname names{};
  return uname(&names) == 0 ? names.release : "";
}

bool is_root() { return geteuid() == 0; }

std::string process_name(pid_t pid) {
  const auto name = read_file(fmt::format("/proc/{}/comm", pid), 64);
  return name ? std::string(trim(*name)) : std::string();
}

}  // namespace ginnel::os

#include "os/tun_holder.h"

#include <fmt/format.h>
#include <limits.h>
#include <net/if.h>
#include <unistd.h>

#include <chrono>
#include <thread>

#include "base/text.h"
#include "os/clock.h"
#include "os/file.h"
#include "os/port_holder.h"
#include "os/process.h"

namespace ginnel::os {
namespace {

constexpr std::size_t kMaxDescriptorBytes = 4096;
constexpr std::string_view kDevice = "/dev/net/tun";
constexpr auto kLookInterval = std::chrono::milliseconds(10);
constexpr Duration kHeldPatience = std::chrono::milliseconds(500);
constexpr Duration kDyingPatience = std::chrono::seconds(2);

std::string target_of(const std::string& link) {
  char target[64];
  const ssize_t length = ::readlink(link.c_str(), target, sizeof target);
  return length <= 0 ? "" : std::string(target, static_cast<std::size_t>(length));
}

bool holds(const std::string& process, std::string_view line) {
  const auto descriptors = list_directory(process + "/fd");
  if (!descriptors) return false;
  for (const std::string& descriptor : *descriptors) {
    if (!target_of(process + "/fd/" + descriptor).ends_with(kDevice)) continue;
    const auto text = read_file(process + "/fdinfo/" + descriptor, kMaxDescriptorBytes);
    if (!text) continue;
    for (const std::string_view one : split(*text, '\n')) {
      if (one == line) return true;
    }
  }
  return false;
}

// A process of this network namespace but for `except`, because the same name may mean another
// interface elsewhere; 0 when none is seen.
int process_with(const std::string& interface, int except) {
  const std::string line = "iff:\t" + interface;
  const std::string space = target_of("/proc/thread-self/ns/net");
  const auto names = list_directory("/proc");
  if (!names) return 0;
  std::size_t looked_at = 0;
  for (const std::string& name : *names) {
    const auto pid = parse_number<int>(name, 1, INT_MAX);
    if (!pid || *pid == except) continue;
    const std::string process = "/proc/" + name;
    if (target_of(process + "/ns/net") == space && holds(process, line)) return *pid;
    if (++looked_at == kMaxProcesses) break;
  }
  return 0;
}

}  // namespace

std::string describe_tun_holder(const std::string& interface) {
  const int pid = process_with(interface, process_id());
  if (pid == 0) return "another program holds it";
  return fmt::format("{} (process {}) holds it", process_name(pid), pid);
}

bool await_end_of_tun(const std::string& interface) {
  const Clock clock;
  const MonoTime began = clock.mono();
  for (;; std::this_thread::sleep_for(kLookInterval)) {
    if (::if_nametoindex(interface.c_str()) == 0) return true;
    const Duration waited = clock.mono() - began;
    if (waited > kDyingPatience) return false;
    if (waited > kHeldPatience && process_with(interface, 0) != 0) return false;
  }
}

}  // namespace ginnel::os

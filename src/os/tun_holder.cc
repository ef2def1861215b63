#include "os/tun_holder.h"

#include <fmt/format.h>
#include <limits.h>
#include <unistd.h>

#include "base/text.h"
#include "os/file.h"
#include "os/port_holder.h"
#include "os/process.h"

namespace ginnel::os {
namespace {

constexpr std::size_t kMaxDescriptorBytes = 4096;
constexpr std::string_view kDevice = "/dev/net/tun";

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

// Another process of this network namespace, because the same name may mean another interface
// elsewhere; 0 when none is seen.
int process_with(const std::string& interface) {
  const std::string line = "iff:\t" + interface;
  const std::string space = target_of("/proc/thread-self/ns/net");
  const auto names = list_directory("/proc");
  if (!names) return 0;
  std::size_t looked_at = 0;
  for (const std::string& name : *names) {
    const auto pid = parse_number<int>(name, 1, INT_MAX);
    if (!pid || *pid == process_id()) continue;
    const std::string process = "/proc/" + name;
    if (target_of(process + "/ns/net") == space && holds(process, line)) return *pid;
    if (++looked_at == kMaxProcesses) break;
  }
  return 0;
}

}  // namespace

std::string describe_tun_holder(const std::string& interface) {
  const int pid = process_with(interface);
  if (pid == 0) return "another program holds it";
  return fmt::format("{} (process {}) holds it", process_name(pid), pid);
}

}  // namespace ginnel::os

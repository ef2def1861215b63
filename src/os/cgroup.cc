#include "os/cgroup.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <algorithm>

#include "base/text.h"
#include "os/fd.h"
#include "os/file.h"

namespace ginnel::os {
namespace {

constexpr std::size_t kMaxMounts = 1 << 20;

// "040" in octal.
std::optional<char> character_of(std::string_view digits) {
  unsigned value = 0;
  const char* end = digits.data() + digits.size();
  const auto [at, error] = std::from_chars(digits.data(), end, value, 8);
  if (error != std::errc() || at != end || value > 0xff) return std::nullopt;
  return static_cast<char>(value);
}

// "\040" stands for a space, as for every byte that would end a field.
std::string unescaped(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool is_escape = text[i] == '\\' && text.size() - i > 3;
    const auto octal = is_escape ? character_of(text.substr(i + 1, 3)) : std::nullopt;
    plain += octal ? *octal : text[i];
    if (octal) i += 3;
  }
  return plain;
}

}  // namespace

// 36 35 0:32 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw: there may be any number of
// fields before the dash.
std::optional<std::string> cgroup_root(std::string_view mounts) {
  for (std::string_view line : split(mounts, '\n')) {
    const auto fields = split(line, ' ');
    const auto dash = std::ranges::find(fields, "-");
    const bool is_whole = fields.size() > 5 && fields[3] == "/";
    if (is_whole && fields.end() - dash > 1 && dash[1] == "cgroup2") return unescaped(fields[4]);
  }
  return std::nullopt;
}

std::optional<std::uint64_t> find_cgroup(std::string_view path) {
  const auto mounts = read_file("/proc/self/mountinfo", kMaxMounts);
  const auto root = mounts ? cgroup_root(*mounts) : std::nullopt;
  if (!root) return std::nullopt;
  const std::string full = *root + "/" + std::string(path);
  const Fd folder(::open(full.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  struct statfs system{};
  struct stat status{};
  const bool is_group = folder && ::fstatfs(folder.get(), &system) == 0 &&
                        system.f_type == CGROUP2_SUPER_MAGIC && ::fstat(folder.get(), &status) == 0;
  if (!is_group) return std::nullopt;
  return status.st_ino;
}

}  // namespace ginnel::os

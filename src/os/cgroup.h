// Control groups (v2), as far as they say whose a socket is.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace ginnel::os {

// The number by which the kernel knows the group of this path below the root:
// "system.slice/backup.service". Nothing when there is none, or the hierarchy is not mounted.
std::optional<std::uint64_t> find_cgroup(std::string_view path);

// Where the whole hierarchy is mounted, by the text of /proc/self/mountinfo.
std::optional<std::string> cgroup_root(std::string_view mounts);

}  // namespace ginnel::os

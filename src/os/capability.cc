#include "os/capability.h"

#include <errno.h>
#include <fmt/format.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <utility>

#include "os/os_error.h"

namespace ginnel::os {
namespace {

struct Sets {
  std::uint64_t effective = 0, permitted = 0, inheritable = 0;
};

// glibc has no wrappers; libcap would be a dependency for two calls.
bool read_sets(Sets& sets) {
  __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  std::array<__user_cap_data_struct, 2> data{};
  if (syscall(SYS_capget, &header, data.data()) != 0) return false;
  const auto join = [](std::uint32_t low, std::uint32_t high) {
    return std::uint64_t{high} << 32 | low;
  };
  sets = {.effective = join(data[0].effective, data[1].effective),
          .permitted = join(data[0].permitted, data[1].permitted),
          .inheritable = join(data[0].inheritable, data[1].inheritable)};
  return true;
}

bool write_sets(const Sets& sets) {
  __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  std::array<__user_cap_data_struct, 2> data{};
  for (unsigned half = 0; half < 2; ++half) {
    data[half] = {.effective = static_cast<std::uint32_t>(sets.effective >> (32 * half)),
                  .permitted = static_cast<std::uint32_t>(sets.permitted >> (32 * half)),
                  .inheritable = static_cast<std::uint32_t>(sets.inheritable >> (32 * half))};
  }
  return syscall(SYS_capset, &header, data.data()) == 0;
}

unsigned number_of(Capability capability) {
  switch (capability) {
    case Capability::NetAdmin:
      return CAP_NET_ADMIN;
    case Capability::NetBindService:
      return CAP_NET_BIND_SERVICE;
    case Capability::NetRaw:
      return CAP_NET_RAW;
    case Capability::SysAdmin:
      return CAP_SYS_ADMIN;
    case Capability::DacOverride:
      return CAP_DAC_OVERRIDE;
    case Capability::Chown:
      return CAP_CHOWN;
  }
  std::unreachable();
}

std::uint64_t bit_of(Capability capability) { return std::uint64_t{1} << number_of(capability); }

// Without this, a program that root starts gets everything back.
bool shrink_bounding_set(std::uint64_t kept) {
  for (unsigned number = 0; prctl(PR_CAPBSET_READ, number, 0, 0, 0) >= 0; ++number) {
    if ((kept >> number & 1) == 0 && prctl(PR_CAPBSET_DROP, number, 0, 0, 0) != 0) return false;
  }
  return true;
}

}  // namespace

std::string_view name_of(Capability capability) {
  switch (capability) {
    case Capability::NetAdmin:
      return "CAP_NET_ADMIN";
    case Capability::NetBindService:
      return "CAP_NET_BIND_SERVICE";
    case Capability::NetRaw:
      return "CAP_NET_RAW";
    case Capability::SysAdmin:
      return "CAP_SYS_ADMIN";
    case Capability::DacOverride:
      return "CAP_DAC_OVERRIDE";
    case Capability::Chown:
      return "CAP_CHOWN";
  }
  std::unreachable();
}

bool has_capability(Capability capability) {
  Sets sets;
  return read_sets(sets) && (sets.effective & bit_of(capability)) != 0;
}

Status require_capability(Capability capability, std::string_view what) {
  if (has_capability(capability)) return ok();
  return fail(ErrorCode::PermissionDenied,
              fmt::format("{}: needs {}; run it as root, or as a service with "
                          "AmbientCapabilities={}",
                          what, name_of(capability), name_of(capability)));
}

Status keep_only(std::span<const Capability> kept) {
  std::uint64_t wanted = 0;
  for (const Capability capability : kept) wanted |= bit_of(capability);
  Sets sets;
  if (!read_sets(sets)) return os_fail("read capabilities", errno);
  // Dropping from the bounding set is itself a privilege. Who lacks it got his capabilities from
  // somebody who has set the bounds.
  const bool may_bound = (sets.effective >> CAP_SETPCAP & 1) != 0;
  if (may_bound && !shrink_bounding_set(wanted)) return os_fail("bound capabilities", errno);
  prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  const std::uint64_t left = sets.permitted & wanted;
  if (!write_sets({.effective = left, .permitted = left, .inheritable = 0})) {
    return os_fail("drop capabilities", errno);
  }
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return os_fail("forbid new privileges", errno);
  return ok();
}

Status give_up_all() {
  prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  if (!write_sets({})) return os_fail("drop capabilities", errno);
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return os_fail("forbid new privileges", errno);
  return ok();
}

}  // namespace ginnel::os

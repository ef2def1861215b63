// A kill switch's policy as text: what is on disk before it is in the kernel, so that the next boot
// and the next process know what is meant.
#pragma once

#include <string>
#include <string_view>

#include "core/hostnet/lock_policy.h"

namespace ginnel::hostnet {

inline constexpr std::size_t kMaxLockRecord = std::size_t{256} * 1024;

// Without the devices, which are the host's own affair at any moment.
std::string to_text(const LockPolicy& policy);

// Fails, naming the line, on what to_text() did not write, and on a policy that check() refuses.
Result<LockPolicy> parse_lock_policy(std::string_view text);

}  // namespace ginnel::hostnet

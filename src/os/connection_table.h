// The kernel's memory of connections (conntrack), over its netlink interface.
#pragma once

#include <cstdint>
#include <vector>

#include "base/result.h"
#include "core/hostnet/lock_sessions.h"

namespace ginnel::os {

// From now on these live TCP connections are known as opened by their remote end, and have their
// marks. Without connection tracking there is nothing to remember.
Status remember_connections(const std::vector<hostnet::LiveSession>& sessions);

// Forgets every connection whose mark has none of these bits. Without connection tracking there is
// nothing to forget.
Status forget_connections_without(std::uint32_t mark_bits);

}  // namespace ginnel::os

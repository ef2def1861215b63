// The kernel's memory of connections (conntrack), over its netlink interface.
#pragma once

#include <cstdint>

#include "base/result.h"

namespace ginnel::os {

// Forgets every connection whose mark has none of these bits. Without connection tracking there is
// nothing to forget.
Status forget_connections_without(std::uint32_t mark_bits);

}  // namespace ginnel::os

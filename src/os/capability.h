// What the kernel lets this process do. Asked instead of "is it root", so that a service with the
// capabilities it needs runs as a user of its own.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "base/result.h"

namespace ginnel::os {

enum class Capability : std::uint8_t {
  NetAdmin,        // Interfaces, routes, firewall, marks.
  NetBindService,  // Ports below 1024.
  NetRaw,
  SysAdmin,     // Namespaces.
  DacOverride,  // Files and directories of others.
  Chown,
};

std::string_view name_of(Capability capability);  // "CAP_NET_ADMIN"

// Whether the calling thread can use it.
bool has_capability(Capability capability);

// Fails with "WHAT: needs CAP_...; how to get it".
Status require_capability(Capability capability, std::string_view what);

// Gives up every capability that is not in `kept`, for good and for programs that are started
// later (set-user-ID ones included), for this thread and those it starts: call it before there are
// others. Lacking one of `kept` is no error.
Status keep_only(std::span<const Capability> kept);

// Gives up every capability, for good and for programs that are started later. Unlike keep_only()
// it leaves the bounds as they are: the kernel refuses to start a program that it would have to
// give less than its file says (`ping`), while one that gets nothing at all may start.
Status give_up_all();

}  // namespace ginnel::os

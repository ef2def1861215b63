// A process that holds one descriptor and gives copies of it to root, until it is told to end. The
// tables of a kill switch are owned by a socket: they stay guarded as long as somebody has it, so
// somebody has it who does nothing else and is killed by nobody's mistake.
#pragma once

#include <optional>
#include <string>

#include "base/result.h"
#include "os/fd.h"

namespace ginnel::os {

// Starts one that listens at `path`, and returns when it does. Does nothing when one is there that
// holds the same already; one that holds something else is replaced. It stays also when who starts
// it is killed meanwhile. REQUIRES: one thread.
Status start_guardian(const std::string& path, const Fd& kept);

// A copy of what the guardian at `path` holds. Absent: there is none.
Result<std::optional<Fd>> borrow_from_guardian(const std::string& path);

// Readable when the guardian at `path` has ended. Empty when there is none.
Fd end_of_guardian(const std::string& path);

// Ends it, and with it its copy. That there is none is no failure.
Status dismiss_guardian(const std::string& path);

}  // namespace ginnel::os

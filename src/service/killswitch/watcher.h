// Keeps a kill switch true for as long as it is on: puts back what others take away, gives every
// new interface its chain, and undoes a change that nobody confirmed. The protection does not need
// it; it is kernel state. Under systemd it is what ginnel-lock.service runs.
#pragma once

#include <functional>

#include "service/killswitch/kill_switch.h"

namespace ginnel::killswitch {

// The name under which systemd keeps the descriptor that owns the tables.
inline constexpr const char* kDescriptorName = "killswitch";

// Locks first, if the record on disk says so: at boot, before there is a network. Returns when the
// lock is off, or when it is asked to stop, which leaves everything locked. `ready` is called once,
// when the lock stands. Fails with AlreadyExists when another process watches. REQUIRES: one
// thread.
Status watch(const Places& places, const std::function<Status()>& ready);

// Whether somebody does.
Result<bool> is_watched(const Places& places);

// Returns when the watcher has what owns the tables, so that two processes have it: it and the
// guardian. Fails when there is no watcher, or when it does not take it in time.
Status await_watcher(const Places& places);

}  // namespace ginnel::killswitch

// The process that keeps a kill switch true when no service does.
#pragma once

#include "service/killswitch/kill_switch.h"

namespace ginnel::cli {

// Starts one, unless somebody watches already, and returns when it has what owns the
// tables. REQUIRES: one thread.
Status start_watcher(const killswitch::Places& places);

}  // namespace ginnel::cli

// `ginnel dev`: a userspace interface that stock `wg` configures, until its interface or its socket
// is removed or a signal ends it.
#pragma once

#include <functional>
#include <string_view>

#include "service/tunnel/tunnel.h"
#include "service/tunnel/uapi_server.h"

namespace ginnel::tunnel {

struct DevOptions {
  TunnelOptions tunnel;
  UapiOptions uapi;
  bool ends_on_hangup = false;  // Also on SIGHUP, which is ignored otherwise.
};

// Names the descriptor of a lock to hold until it is ready: of whoever started it, and perhaps was
// killed meanwhile.
inline constexpr std::string_view kHeldLock = "GINNEL_HELD_LOCK";

// Calls `ready` once interface and socket answer; an error from it ends the device. Blocks until
// the end, whose reason is logged.
Status run_dev(DevOptions options, const std::function<Status()>& ready);

}  // namespace ginnel::tunnel

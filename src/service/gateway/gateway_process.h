// `ginnel gateway` from its start to its end: checks, the lock, tunnels, a loop, and at the end the
// lock alone. One per process; owns its signals and threads.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "core/gateway/gateway_config.h"
#include "os/sysctl_claims.h"
#include "service/tunnel/path_choice.h"

namespace ginnel::gateway {

struct GatewayOptions {
  std::vector<std::string> files;  // Names or paths, as for `ginnel up`.
  GatewayFlags flags;
  std::string ssh_connection;  // SSH_CONNECTION; empty: nobody's.
  std::string run_directory = os::kRunDirectory;
  std::string state_directory = "/var/lib/ginnel/gateway";
  tunnel::PathChoice path{};
  // Called once the lock stands, while there is one thread. A failure is logged.
  std::function<Status()> on_locked{};
};

// Returns when the gateway was asked to stop, or failed. With a kill switch the host stays locked
// then, unless it failed before the lock stood.
Status run_gateway(const GatewayOptions& options);

}  // namespace ginnel::gateway

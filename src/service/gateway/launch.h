// What can be known of a gateway before anything on the host is touched.
#pragma once

#include <string>
#include <vector>

#include "core/gateway/gateway_network.h"
#include "service/gateway/gateway_process.h"

namespace ginnel::gateway {

// A gateway that may be started.
struct CheckedLaunch {
  GatewayConfig config;
  std::vector<net::Prefix> manage;
  std::uint32_t confirm_seconds = 0;  // 0: nobody is asked.
};

// Files, flags and the host as it is. Making one changes nothing.
Result<CheckedLaunch> check_launch(const GatewayOptions& options);

// The files again, of a gateway that runs by `present`.
Result<GatewayConfig> read_again(const GatewayOptions& options, const GatewayConfig& present,
                                 const hostnet::HostState& host);

}  // namespace ginnel::gateway

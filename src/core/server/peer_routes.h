// The networks behind a server's clients, which its host reaches through the tunnel. Pure.
#pragma once

#include "core/config/server_config.h"
#include "core/hostnet/host_state.h"

namespace ginnel::server {

struct PeerRoutes {
  std::vector<net::Prefix> routed;
  // What the host reaches another way keeps going there; one line each, with the remedy.
  std::vector<std::string> refused;
};

// What is routed to enabled peers and is in none of the subnets. `own` is the tunnel's interface.
PeerRoutes peer_routes(const config::ServerConfig& config, const hostnet::HostState& host,
                       std::string_view own);

}  // namespace ginnel::server

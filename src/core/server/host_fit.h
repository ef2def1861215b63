// How a server's configuration fits the host it runs on: which way out, which address clients find
// it at, and whether its subnets are free. What the host offers is core/hostnet/uplink.h's.
#pragma once

#include "core/config/server_config.h"
#include "core/hostnet/host_state.h"

namespace ginnel::server {

// The interfaces that traffic to the internet leaves by; empty: there is no way out.
struct Uplinks {
  std::string v4;
  std::string v6;

  const std::string& of(net::Family family) const { return family == net::Family::V4 ? v4 : v6; }
  friend bool operator==(const Uplinks&, const Uplinks&) = default;
};

// Those of the default routes in use, one for each family; `own` is the tunnel's interface, which
// never is one. An outbound interface that was named is both, whether it is there or not.
Uplinks choose_uplinks(const config::ServerConfig& config, const hostnet::HostState& host,
                       std::string_view own);

struct EndpointChoice {
  config::HostPort endpoint;  // Has a port.
  std::string warning;        // One line with the remedy; empty when all is well.
};

// What clients are told to connect to. Fails when this host has no address that could be told.
Result<EndpointChoice> choose_endpoint(const config::ServerConfig& config,
                                       const hostnet::HostState& host, std::string_view own);

// Fails when a subnet overlaps what the host reaches another way, naming both and the flag.
Status check_subnets_are_free(const config::Subnets& subnets, const hostnet::HostState& host,
                              std::string_view own);

}  // namespace ginnel::server

// From a gateway's configuration and the host as it is to what it wants of that host: the lock's
// policy, the tunnels' addresses, and a table with NAT. Pure.
#pragma once

#include <string>
#include <vector>

#include "core/gateway/gateway_config.h"
#include "core/hostnet/lock_policy.h"
#include "core/hostnet/wanted_host.h"

namespace ginnel::gateway {

// What a running tunnel is, besides its file.
struct TunnelFacts {
  std::vector<net::Endpoint> endpoints{};  // Where its peer is, or may be.
  std::uint16_t listen_port = 0;
  std::uint32_t mtu = 0;
  friend bool operator==(const TunnelFacts&, const TunnelFacts&) = default;
};

struct GatewayFacts {
  hostnet::LockState state = hostnet::LockState::Locked;
  std::size_t active = 0;                    // The tunnel that carries the traffic.
  std::vector<TunnelFacts> tunnels{};        // As in the configuration.
  std::vector<net::Prefix> manage{};         // Who may come in from outside.
  std::vector<net::Endpoint> resolvers{};    // To be asked in clear, for the moment.
  std::vector<net::Address> dhcp_servers{};  // Of the uplinks, by their leases.
};

inline hostnet::Owner gateway_owner(const GatewayConfig& config) {
  return {.role = "gateway", .interface = config.tunnels.front().interface};
}

// The subnets that a LAN interface has by its own addresses and that are private as a whole, those
// of --local that lead there, and link-local IPv6.
std::vector<net::Prefix> lan_prefixes(const GatewayConfig& config, const hostnet::HostState& host,
                                      const std::string& interface);

// Fails when a LAN interface is missing or has no usable subnet, and when something of a tunnel
// lies inside a subnet that is reached directly.
Status check_fit(const GatewayConfig& config, const hostnet::HostState& host);

hostnet::LockPolicy gateway_policy(const GatewayConfig& config, const hostnet::HostState& host,
                                   const GatewayFacts& facts);

// Besides what the lock of this policy does. Without a kill switch, its routing as well, and what
// of its filter a gateway cannot do without.
hostnet::WantedHost gateway_wishes(const GatewayConfig& config, const hostnet::LockPolicy& policy,
                                   const GatewayFacts& facts);

}  // namespace ginnel::gateway

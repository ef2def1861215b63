// A policy with something in every list, for the tests of its layers.
#pragma once

#include "core/hostnet/lock_policy.h"

namespace ginnel::hostnet {

inline net::Prefix to_prefix(std::string_view text) { return net::Prefix::parse(text).value(); }
inline net::Address to_address(std::string_view text) { return net::Address::parse(text).value(); }
inline net::Endpoint to_endpoint(std::string_view text) {
  return net::Endpoint::parse(text).value();
}

// eth0 leads outside, eth1 to the LAN 10.100.0.0/24, wg0 is the tunnel.
inline LockPolicy full_policy(LockState state) {
  return {
      .state = state,
      .holder = "gateway:wg0",
      .endpoints = {to_endpoint("198.51.100.1:51820"), to_endpoint("[2001:db8:1::1]:51820")},
      .listen_ports = {51820, 51821},
      .resolvers = {to_endpoint("9.9.9.9:853")},
      .tunnels = {"wg0", "wg1"},
      .tunnel_addresses = {to_address("10.2.0.2"), to_address("fd02::2")},
      .dns = {to_address("10.2.0.1"), to_address("fd02::1")},
      .lans = {{.interface = "eth1",
                .prefixes = {to_prefix("10.100.0.0/24"), to_prefix("fd10::/64")}}},
      .allowed = {to_prefix("192.168.7.0/24"), to_prefix("fd07::/64"), to_prefix("224.0.0.251/32")},
      .split = {{.user = 1000},
                {.cgroup = "backup.slice/nightly.service", .cgroup_id = 77},
                {.cgroup = "gone.service"}},
      .manage = {to_prefix("192.168.50.0/24"), to_prefix("2001:db8:50::/64")},
      .dhcp_servers = {to_address("192.168.1.1")},
      .devices = {{.name = "eth0", .number = 2}, {.name = "eth1", .number = 3, .lan = "eth1"}}};
}

inline constexpr LockState kLockStates[] = {LockState::Off, LockState::Locked,
                                            LockState::Connecting, LockState::Connected,
                                            LockState::Error};

}  // namespace ginnel::hostnet

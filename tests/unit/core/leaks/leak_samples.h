// A host with an uplink, a LAN and a tunnel, and the lock of its gateway.
#pragma once

#include "core/hostnet/lock_policy.h"

namespace ginnel::leaks {

inline net::Prefix to_prefix(std::string_view text) { return net::Prefix::parse(text).value(); }
inline net::Address to_address(std::string_view text) { return net::Address::parse(text).value(); }
inline net::InterfaceAddress to_assigned(std::string_view text) {
  return net::InterfaceAddress::parse(text).value();
}

inline hostnet::HostState sample_host() {
  return {.links = {{.index = 1, .name = "lo", .up = true, .loopback = true},
                    {.index = 2, .name = "eth0", .mtu = 1500, .up = true, .running = true},
                    {.index = 3, .name = "eth1", .mtu = 1500, .up = true, .running = true},
                    {.index = 9, .name = "wg0", .kind = "tun", .mtu = 1420, .up = true}},
          .addresses = {{.interface = "eth0", .address = to_assigned("192.168.1.7/24")},
                        {.interface = "eth1", .address = to_assigned("10.100.0.1/24")},
                        {.interface = "eth1", .address = to_assigned("fd10::1/64")}},
          .routes = {{.destination = to_prefix("0.0.0.0/0"),
                      .gateway = to_address("192.168.1.1"),
                      .interface = "eth0"}}};
}

inline hostnet::LockPolicy sample_policy() {
  return {.state = hostnet::LockState::Connected,
          .holder = "gateway:wg0",
          .endpoints = {net::Endpoint::parse("198.51.100.1:51820").value()},
          .listen_ports = {51820},
          .tunnels = {"wg0"},
          .tunnel_addresses = {to_address("10.2.0.2"), to_address("fd02::2")},
          .dns = {to_address("10.2.0.1")},
          .lans = {{.interface = "eth1",
                    .prefixes = {to_prefix("10.100.0.0/24"), to_prefix("fd10::/64")}}}};
}

}  // namespace ginnel::leaks

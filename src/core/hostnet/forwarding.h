// Which settings let a host forward, and what has to be set before so that the host itself keeps
// its routes.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/hostnet/host_state.h"

namespace ginnel::hostnet {

inline constexpr std::string_view kForwarding4 = "net/ipv4/ip_forward";
inline constexpr std::string_view kForwarding6 = "net/ipv6/conf/all/forwarding";

// Interfaces with a default route from router advertisements, each once. When IPv6 forwarding is
// switched on, the kernel deletes such routes of every interface whose accept_ra is not 2.
std::vector<std::string> advertised_uplinks(const std::vector<Route>& routes);

// Interfaces of the host, apart from `tunnel`, on which a router may advertise itself: those with a
// link-local address. With forwarding on, the kernel stops to listen where accept_ra is 1, and an
// uplink that comes later would get no route. At most kMaxListeners.
inline constexpr std::size_t kMaxListeners = 256;
std::vector<std::string> advertisement_listeners(const HostState& state, std::string_view tunnel);

// Whether it has an address that a router can be asked from.
bool can_solicit(const HostState& state, std::string_view interface);

// "net/ipv6/conf/eth0/accept_ra", "net/ipv6/conf/eth0/forwarding".
std::string accept_ra_path(std::string_view interface);
std::string forwarding6_path(std::string_view interface);

}  // namespace ginnel::hostnet

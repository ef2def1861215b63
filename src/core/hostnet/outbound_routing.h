// Policy routing that sends what comes out of a tunnel through one interface, whatever the host's
// own routes say: a table with that interface's default routes, and rules that lead there. Pure.
#pragma once

#include <functional>

#include "core/hostnet/plan.h"

namespace ginnel::hostnet {

struct OutboundRouting {
  std::string tunnel{};
  std::string outbound{};   // Empty: the host's routes count.
  std::uint32_t table = 0;  // See outbound_table().
  bool ipv6 = false;        // IPv4 is always routed.
};

// Nobody else's: two servers never have the same port.
std::uint32_t outbound_table(std::uint16_t listen_port);

// The default route of the main table through an interface, the best of several. Null: none works.
const Route* find_default_via(const HostState& state, net::Family family,
                              std::string_view interface);

// What is wanted, and what of it that is there leads elsewhere. Rules and routes carry our mark,
// the protocol number RouteOrigin::Ginnel; others are not named. Without a default route through
// the interface the rules lead on to the host's own routes: a firewall has to stop what must not go
// there.
WantedNetwork outbound_network(const HostState& current, const OutboundRouting& wanted);

// Without that of every tunnel for which `is_to_go` says so.
WantedNetwork without_outbound(const HostState& current,
                               const std::function<bool(const std::string& tunnel)>& is_to_go);

}  // namespace ginnel::hostnet

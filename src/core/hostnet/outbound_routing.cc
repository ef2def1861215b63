#include "core/hostnet/outbound_routing.h"

#include <set>
#include <tuple>

namespace ginnel::hostnet {
namespace {

// Far from what people and wg-quick choose: "gi", and a port.
constexpr std::uint32_t kTables = 0x67690000;
// Before main (32766) and before what wg-quick adds in front of it.
constexpr std::uint32_t kSpecificPriority = 20'000;
constexpr std::uint32_t kOutboundPriority = 20'001;
// The same in both families, so that what the kernel lists is what was asked for.
constexpr std::uint32_t kMetric = 1024;

std::vector<net::Family> families_of(const OutboundRouting& wanted) {
  if (wanted.outbound.empty()) return {};
  if (!wanted.ipv6) return {net::Family::V4};
  return {net::Family::V4, net::Family::V6};
}

std::vector<RoutingRule> wanted_rules(const OutboundRouting& wanted) {
  std::vector<RoutingRule> rules;
  for (const net::Family family : families_of(wanted)) {
    // Answers, and clients among each other, go by the host's routes, but for its default ones.
    rules.push_back({.family = family,
                     .priority = kSpecificPriority,
                     .in_interface = wanted.tunnel,
                     .table = kMainTable,
                     .suppress_prefix_length = 0,
                     .origin = RouteOrigin::Ginnel});
    rules.push_back({.family = family,
                     .priority = kOutboundPriority,
                     .in_interface = wanted.tunnel,
                     .table = wanted.table,
                     .origin = RouteOrigin::Ginnel});
  }
  return rules;
}

std::vector<Route> wanted_routes(const HostState& current, const OutboundRouting& wanted) {
  std::vector<Route> routes;
  for (const net::Family family : families_of(wanted)) {
    const Route* way = find_default_via(current, family, wanted.outbound);
    if (way == nullptr) continue;
    routes.push_back({.destination = way->destination,
                      .gateway = way->gateway,
                      .interface = wanted.outbound,
                      .table = wanted.table,
                      .metric = kMetric,
                      .origin = RouteOrigin::Ginnel,
                      .scope = way->scope});
  }
  return routes;
}

// What is there of this tunnel's.
void append_former(const HostState& current, const std::string& tunnel,
                   std::set<std::uint32_t> tables, WantedNetwork& network) {
  for (const RoutingRule& rule : current.rules) {
    if (rule.origin != RouteOrigin::Ginnel || rule.in_interface != tunnel) continue;
    network.former_rules.push_back(rule);
    tables.insert(rule.table);
  }
  for (const Route& route : current.routes) {
    if (route.origin == RouteOrigin::Ginnel && tables.contains(route.table)) {
      network.former_routes.push_back(route);
    }
  }
}

}  // namespace

std::uint32_t outbound_table(std::uint16_t listen_port) { return kTables + listen_port; }

const Route* find_default_via(const HostState& state, net::Family family,
                              std::string_view interface) {
  const auto rank = [](const Route& route) { return std::tuple(route.metric, route.preference); };
  const Route* best = nullptr;
  for (const Route& route : state.routes) {
    if (!route.is_default() || route.destination.family() != family) continue;
    if (route.table != kMainTable || route.type != RouteType::Unicast || route.dead) continue;
    if (route.interface != interface) continue;
    if (best == nullptr || rank(route) < rank(*best)) best = &route;
  }
  return best;
}

WantedNetwork outbound_network(const HostState& current, const OutboundRouting& wanted) {
  WantedNetwork network{.routes = wanted_routes(current, wanted), .rules = wanted_rules(wanted)};
  append_former(current, wanted.tunnel, {wanted.table}, network);
  return network;
}

WantedNetwork without_outbound(const HostState& current,
                               const std::function<bool(const std::string& tunnel)>& is_to_go) {
  std::set<std::string> tunnels;
  for (const RoutingRule& rule : current.rules) {
    if (rule.origin == RouteOrigin::Ginnel) tunnels.insert(rule.in_interface);
  }
  WantedNetwork network;
  for (const std::string& tunnel : tunnels) {
    if (is_to_go(tunnel)) append_former(current, tunnel, {}, network);
  }
  return network;
}

}  // namespace ginnel::hostnet

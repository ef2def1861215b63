// Where the kernel would send a packet: policy rules and routes as far as the kill switch uses
// them.
#pragma once

#include <map>
#include <optional>
#include <ranges>
#include <string>
#include <vector>

#include "core/hostnet/host_state.h"

namespace ginnel::hostnet {

struct RoutedPacket {
  net::Address destination{};
  std::optional<net::Address> source{};  // Absent: not chosen yet.
  std::uint32_t mark = 0;
  std::uint32_t user = 0;
  std::string bound_to{};  // SO_BINDTODEVICE.
};

// The interface; nothing when the packet is refused. Tables that know no way are passed over.
inline std::optional<std::string> route_packet(const std::vector<RoutingRule>& rules,
                                               const std::vector<Route>& routes,
                                               const RoutedPacket& packet) {
  // Not std::stable_sort(): clang refuses what libstdc++ 12 makes it of.
  std::multimap<std::uint32_t, RoutingRule> sorted;
  for (const RoutingRule& rule : rules) {
    if (rule.family == packet.destination.family()) sorted.emplace(rule.priority, rule);
  }
  sorted.emplace(32766, RoutingRule{.priority = 32766, .table = kMainTable});
  for (const RoutingRule& rule : sorted | std::views::values) {
    bool matches = (packet.mark & rule.mark_mask) == rule.mark;
    matches = matches && (!rule.from || (packet.source && rule.from->contains(*packet.source)));
    matches = matches && (!rule.to || rule.to->contains(packet.destination));
    matches = matches && (rule.out_interface.empty() || rule.out_interface == packet.bound_to);
    const auto& users = rule.users;
    matches = matches && (!users || (users->first <= packet.user && packet.user <= users->last));
    if (matches == rule.inverted) continue;
    if (rule.action == RuleAction::Unreachable) return std::nullopt;
    const Route* best = nullptr;
    for (const Route& route : routes) {
      const bool leads = route.type == RouteType::Unreachable || packet.bound_to.empty() ||
                         packet.bound_to == route.interface;
      if (route.table != rule.table || !leads ||
          route.destination.family() != packet.destination.family() ||
          !route.destination.contains(packet.destination)) {
        continue;
      }
      const auto rank = [](const Route& r) {
        return std::pair(-static_cast<int>(r.destination.length()), r.metric);
      };
      if (!best || rank(route) < rank(*best)) best = &route;
    }
    if (!best) continue;
    if (best->type == RouteType::Unreachable) return std::nullopt;
    return best->interface;
  }
  return std::nullopt;
}

}  // namespace ginnel::hostnet

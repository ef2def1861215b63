#include "core/leaks/phase.h"

namespace ginnel::leaks {

std::vector<Phase> make_phases(const hostnet::LockPolicy& policy) {
  using enum hostnet::LockState;
  using enum LeakClass;
  const bool has_tunnel = !policy.tunnels.empty() && !policy.endpoints.empty();
  const hostnet::LockState usual = has_tunnel ? Connected : Locked;
  std::vector<Phase> phases = {{.name = "off"}, {.name = "locked", .state = Locked}};
  if (has_tunnel) {
    phases.push_back({.name = "connecting", .state = Connecting});
    phases.push_back({.name = "connected", .state = Connected});
  }
  const auto add = [&](std::string_view name, Event event, LeakClass leak_class) {
    phases.push_back(
        {.name = std::string(name), .state = usual, .event = event, .leak_class = leak_class});
  };
  add("uplink-returns", Event::UplinkReturns, BootRace);
  add("route-injected", Event::RouteInjected, InjectedRoute);
  add("local-net-injected", Event::LocalNetInjected, PublicLocalNet);
  add("flushed", Event::Flushed, ForeignFlush);
  add("owner-killed", Event::OwnerKilled, DaemonKilled);
  add("swapped", Event::Swapped, Reconfiguration);
  if (has_tunnel) {
    add("endpoint-changed", Event::EndpointChanged, Reconfiguration);
    if (policy.tunnels.size() > 1) add("failed-over", Event::FailedOver, Reconfiguration);
    add("table-flushed", Event::TableFlushed, TunnelGone);
  }
  add("rules-deleted", Event::RulesDeleted, TunnelGone);
  if (has_tunnel) {
    add("tunnel-down", Event::TunnelDown, TunnelGone);
    add("tunnel-deleted", Event::TunnelDeleted, TunnelGone);
  }
  phases.push_back({.name = "error", .state = Error});
  return phases;
}

}  // namespace ginnel::leaks

#include "core/hostnet/uplink.h"

#include <fmt/format.h>

namespace ginnel::hostnet {
namespace {

// Shorter prefixes are a default route in pieces (0.0.0.0/1 and 128.0.0.0/1, 2000::/3).
constexpr unsigned kShortestOwnPrefix = 8;

// The address that connections leave from: a stable one, and a global one before a private one.
std::optional<net::Address> source_on(const HostState& state, net::Family family,
                                      std::string_view interface) {
  std::optional<net::Address> best;
  for (const AssignedAddress& assigned : state.addresses) {
    const net::Address& address = assigned.address.address;
    if (assigned.interface != interface || address.family() != family) continue;
    if (!assigned.usable || assigned.temporary || assigned.scope != Scope::Universe) continue;
    if (!best || (best->is_private() && !address.is_private())) best = address;
  }
  return best;
}

bool leads_out(const HostState& state, const Route& route, net::Family family,
               std::string_view tunnel) {
  if (!route.is_default() || route.destination.family() != family) return false;
  if (route.table != kMainTable || route.type != RouteType::Unicast || route.dead) return false;
  if (route.interface.empty() || route.interface == tunnel) return false;
  const Link* link = state.find_link(route.interface);
  return link && link->up && !link->loopback;
}

bool is_better(const Route& a, const Route& b) {
  return std::pair(a.metric, a.preference) < std::pair(b.metric, b.preference);
}

}  // namespace

std::optional<Uplink> find_uplink(const HostState& state, net::Family family,
                                  std::string_view tunnel) {
  const Route* best = nullptr;
  for (const Route& route : state.routes) {
    if (!leads_out(state, route, family, tunnel)) continue;
    if (!best || is_better(route, *best)) best = &route;
  }
  if (!best) return std::nullopt;
  Uplink uplink{.interface = best->interface, .gateway = best->gateway, .source = best->source};
  if (!uplink.source) uplink.source = source_on(state, family, best->interface);
  return uplink;
}

std::optional<Uplink> named_uplink(const HostState& state, net::Family family,
                                   std::string_view interface) {
  const Link* link = state.find_link(interface);
  if (!link || !link->up) return std::nullopt;
  Uplink uplink{.interface = std::string(interface)};
  const Route* best = nullptr;
  for (const Route& route : state.routes) {
    const bool fits = route.is_default() && route.destination.family() == family &&
                      route.interface == interface && route.type == RouteType::Unicast;
    if (fits && (!best || is_better(route, *best))) best = &route;
  }
  if (best) uplink.gateway = best->gateway;
  if (best) uplink.source = best->source;
  if (!uplink.source) uplink.source = source_on(state, family, interface);
  return uplink;
}

Status check_no_collision(const HostState& state, const net::Prefix& subnet,
                          std::string_view tunnel) {
  for (const AssignedAddress& assigned : state.addresses) {
    if (assigned.interface == tunnel || !assigned.address.subnet().overlaps(subnet)) continue;
    return fail(ErrorCode::Conflict,
                fmt::format("subnet {} overlaps {} of {}; choose another with --subnet",
                            subnet.to_string(), assigned.address.to_string(), assigned.interface));
  }
  for (const Route& route : state.routes) {
    if (route.type != RouteType::Unicast || route.interface == tunnel) continue;
    if (route.destination.length() < kShortestOwnPrefix) continue;
    if (!route.destination.overlaps(subnet)) continue;
    return fail(ErrorCode::Conflict,
                fmt::format("subnet {} overlaps the route {}; choose another with --subnet",
                            subnet.to_string(), route.to_string()));
  }
  return ok();
}

}  // namespace ginnel::hostnet

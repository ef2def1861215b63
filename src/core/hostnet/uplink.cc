#include "core/hostnet/uplink.h"

#include <fmt/format.h>

namespace ginnel::hostnet {
namespace {

// Shorter prefixes are a default route in pieces (0.0.0.0/1 and 128.0.0.0/1, 2000::/3).
constexpr unsigned kShortestOwnPrefix4 = 8;
constexpr unsigned kShortestOwnPrefix6 = 16;

bool is_almost_default(const net::Prefix& prefix) {
  const bool v4 = prefix.family() == net::Family::V4;
  return prefix.length() < (v4 ? kShortestOwnPrefix4 : kShortestOwnPrefix6);
}

// Stable, and known beyond the host and its links.
bool can_be_told(const AssignedAddress& assigned) {
  const net::Address& address = assigned.address.address;
  return assigned.usable && !assigned.temporary && assigned.scope == Scope::Universe &&
         !address.is_loopback() && !address.is_link_local();
}

// The address that connections leave from: a stable one, and a global one before a private one.
std::optional<net::Address> source_on(const HostState& state, net::Family family,
                                      std::string_view interface) {
  std::optional<net::Address> best;
  for (const AssignedAddress& assigned : state.addresses) {
    const net::Address& address = assigned.address.address;
    if (assigned.interface != interface || address.family() != family) continue;
    if (!can_be_told(assigned)) continue;
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

std::optional<net::Address> any_address(const HostState& state, std::string_view tunnel) {
  for (const AssignedAddress& assigned : state.addresses) {
    if (assigned.interface != tunnel && can_be_told(assigned)) return assigned.address.address;
  }
  return std::nullopt;
}

Status check_no_collision(const HostState& state, const net::Prefix& subnet,
                          std::string_view tunnel) {
  const std::string_view flag = subnet.family() == net::Family::V4 ? "--subnet" : "--subnet6";
  for (const AssignedAddress& assigned : state.addresses) {
    if (assigned.interface == tunnel || !assigned.address.subnet().overlaps(subnet)) continue;
    return fail(
        ErrorCode::Conflict,
        fmt::format("subnet {} collides with {} on this host's interface {}; choose another with "
                    "{}",
                    subnet.to_string(), assigned.address.to_string(), assigned.interface, flag));
  }
  for (const Route& route : state.routes) {
    if (route.type != RouteType::Unicast || route.interface == tunnel) continue;
    if (is_almost_default(route.destination) || !route.destination.overlaps(subnet)) continue;
    return fail(ErrorCode::Conflict,
                fmt::format("subnet {} collides with this host's route {}; choose another with {}",
                            subnet.to_string(), route.to_string(), flag));
  }
  return ok();
}

}  // namespace ginnel::hostnet

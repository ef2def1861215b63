#include "core/hostnet/lock_alarm.h"

#include <algorithm>

namespace ginnel::hostnet {
namespace {

bool leads_outside(const Route& route, const std::vector<LockedDevice>& devices) {
  const auto device = std::ranges::find(devices, route.interface, &LockedDevice::name);
  return device != devices.end() && device->lan.empty();
}

constexpr unsigned kSubnetLength6 = 64;

// The subnet that an interface is in goes with its address. Of IPv6 it may have been advertised,
// and the address come from elsewhere.
bool is_own_subnet(const Route& route, const HostState& host) {
  const net::Prefix& to = route.destination;
  return !route.gateway && std::ranges::any_of(host.addresses, [&](const AssignedAddress& own) {
    const bool is_advertised = own.address.subnet().is_host() && to.length() == kSubnetLength6 &&
                               to.contains(own.address.address);
    return own.interface == route.interface && (to == own.address.subnet() || is_advertised);
  });
}

bool is_suspicious(const Route& route, const HostState& host,
                   const std::vector<LockedDevice>& devices) {
  const bool leads_somewhere = route.table == kMainTable && route.type == RouteType::Unicast;
  return leads_somewhere && !route.is_default() && !route.destination.is_host() &&
         !route.destination.address().is_multicast() && !is_private(route.destination) &&
         leads_outside(route, devices) && !is_own_subnet(route, host);
}

KnownRoute known(const Route& route) {
  return {.destination = route.destination, .interface = route.interface};
}

}  // namespace

std::optional<std::vector<KnownRoute>> routes_to_know(const HostState& host,
                                                      const std::vector<LockedDevice>& devices) {
  std::vector<KnownRoute> routes;
  for (const Route& route : host.routes) {
    if (!is_suspicious(route, host, devices)) continue;
    if (std::ranges::find(routes, known(route)) != routes.end()) continue;
    if (routes.size() == LockPolicy::kMaxKnownRoutes) return std::nullopt;
    routes.push_back(known(route));
  }
  return routes;
}

std::vector<Route> injected_routes(const LockPolicy& policy, const HostState& host) {
  std::vector<Route> injected;
  if (policy.state == LockState::Off || !policy.known_routes) return injected;
  const std::vector<KnownRoute>& before = *policy.known_routes;
  for (const Route& route : host.routes) {
    const bool is_new = is_suspicious(route, host, policy.devices) &&
                        std::ranges::find(before, known(route)) == before.end();
    if (is_new && injected.size() < LockPolicy::kMaxKnownRoutes) injected.push_back(route);
  }
  return injected;
}

}  // namespace ginnel::hostnet

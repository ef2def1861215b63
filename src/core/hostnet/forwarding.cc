#include "core/hostnet/forwarding.h"

#include <fmt/format.h>

#include <algorithm>

namespace ginnel::hostnet {
namespace {

bool is_link_local(const AssignedAddress& assigned) {
  const net::Address& address = assigned.address.address;
  return address.family() == net::Family::V6 && address.is_link_local();
}

}  // namespace

std::vector<std::string> advertised_uplinks(const std::vector<Route>& routes) {
  std::vector<std::string> interfaces;
  for (const Route& route : routes) {
    const bool advertised = route.is_default() && route.destination.family() == net::Family::V6 &&
                            route.origin == RouteOrigin::RouterAdvertisement &&
                            !route.interface.empty();
    if (advertised && std::ranges::find(interfaces, route.interface) == interfaces.end()) {
      interfaces.push_back(route.interface);
    }
  }
  return interfaces;
}

std::vector<std::string> advertisement_listeners(const HostState& state, std::string_view tunnel) {
  std::vector<std::string> interfaces;
  for (const AssignedAddress& assigned : state.addresses) {
    if (!is_link_local(assigned) || assigned.interface == tunnel) continue;
    const Link* link = state.find_link(assigned.interface);
    if (link == nullptr || !link->up || link->loopback) continue;
    if (std::ranges::find(interfaces, assigned.interface) != interfaces.end()) continue;
    if (interfaces.size() == kMaxListeners) break;
    interfaces.push_back(assigned.interface);
  }
  return interfaces;
}

bool can_solicit(const HostState& state, std::string_view interface) {
  return std::ranges::any_of(state.addresses, [&](const AssignedAddress& assigned) {
    return assigned.interface == interface && assigned.usable && is_link_local(assigned);
  });
}

std::string forwarding6_path(std::string_view interface) {
  return fmt::format("net/ipv6/conf/{}/forwarding", interface);
}

std::string accept_ra_path(std::string_view interface) {
  return fmt::format("net/ipv6/conf/{}/accept_ra", interface);
}

}  // namespace ginnel::hostnet

#include "core/hostnet/forwarding.h"

#include <fmt/format.h>

namespace ginnel::hostnet {

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

std::string accept_ra_path(std::string_view interface) {
  return fmt::format("net/ipv6/conf/{}/accept_ra", interface);
}

}  // namespace ginnel::hostnet

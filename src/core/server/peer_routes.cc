#include "core/server/peer_routes.h"

#include <fmt/format.h>

#include <unordered_map>

namespace ginnel::server {
namespace {

bool is_inside(const config::Subnets& subnets, const net::Prefix& prefix) {
  return subnets.v4.contains(prefix) || (subnets.v6 && subnets.v6->contains(prefix));
}

// The host's own ways that a route to a peer must not replace: one to the same place, and the links
// that it is on, of which a smaller prefix would take a part away.
class OtherWays {
 public:
  OtherWays(const hostnet::HostState& host, std::string_view own) {
    for (const hostnet::Route& route : host.routes) {
      if (route.table != hostnet::kMainTable || route.interface == own) continue;
      const bool is_link = !route.gateway && route.type == hostnet::RouteType::Unicast;
      if (is_link && !route.is_default()) links_.push_back(&route);
      exact_.emplace(route.destination.to_string(), &route);
    }
  }

  const hostnet::Route* find(const net::Prefix& prefix) const {
    const auto exact = exact_.find(prefix.to_string());
    if (exact != exact_.end()) return exact->second;
    const auto link = std::ranges::find_if(
        links_, [&](const hostnet::Route* route) { return route->destination.contains(prefix); });
    return link == links_.end() ? nullptr : *link;
  }

 private:
  std::unordered_map<std::string, const hostnet::Route*> exact_;
  std::vector<const hostnet::Route*> links_;
};

std::optional<net::Address> place_of(const config::ServerPeer& peer, const PeerPlaces& places) {
  const auto found = places.find(peer.public_key);
  if (found != places.end()) return found->second;
  return peer.endpoint ? peer.endpoint->address() : std::nullopt;
}

// As few prefixes as there can be.
void add_all_but(const net::Prefix& whole, const net::Address& hole,
                 std::vector<net::Prefix>& into) {
  for (unsigned length = whole.length(); length < hole.bits(); ++length) {
    const net::Prefix half = net::Prefix::masking(hole, length + 1);
    const net::Prefix both = net::Prefix::masking(hole, length);
    const bool is_first = half.address() == both.address();
    const net::Address other = is_first ? half.last().plus(1) : both.address();
    into.push_back(net::Prefix::masking(other, length + 1));
  }
}

}  // namespace

PeerPlaces peer_places(const wg::DeviceStatus& device) {
  PeerPlaces places;
  for (const wg::PeerStatus& peer : device.peers) {
    if (peer.endpoint) places.emplace(peer.public_key, peer.endpoint->address);
  }
  return places;
}

std::vector<OwnPlace> own_places(const config::ServerConfig& config, const PeerPlaces& places) {
  std::vector<OwnPlace> found;
  for (const config::ServerPeer& peer : config.peers) {
    const auto place = peer.enabled ? place_of(peer, places) : std::nullopt;
    if (!place) continue;
    for (const net::Prefix& network : peer.allowed_ips) {
      if (network.contains(*place)) found.push_back({network, *place});
    }
  }
  return found;
}

PeerRoutes peer_routes(const config::ServerConfig& config, const hostnet::HostState& host,
                       std::string_view own, const PeerPlaces& places) {
  PeerRoutes routes;
  const OtherWays others(host, own);
  for (const config::ServerPeer& peer : config.peers) {
    if (!peer.enabled) continue;
    const auto place = place_of(peer, places);
    for (const net::Prefix& prefix : peer.allowed_ips) {
      if (is_inside(config.subnets, prefix)) continue;
      if (prefix.family() == net::Family::V6 && !config.subnets.v6) continue;
      if (prefix.length() == 0) continue;  // Nobody means the whole host's traffic.
      if (const hostnet::Route* other = others.find(prefix)) {
        routes.refused.push_back(fmt::format(
            "{} of {} is not routed to it: this host has {}; take one of the two out",
            prefix.to_string(), peer.to_string(peer.lines.allowed_ips), other->to_string()));
      } else if (place && prefix.is_host() && prefix.contains(*place)) {
        routes.refused.push_back(
            fmt::format("{} of {} is not routed to it: the peer itself is reached there; give it "
                        "another address inside the tunnel",
                        prefix.to_string(), peer.to_string(peer.lines.allowed_ips)));
      } else if (place && prefix.contains(*place)) {
        add_all_but(prefix, *place, routes.routed);
      } else {
        routes.routed.push_back(prefix);
      }
    }
  }
  return routes;
}

}  // namespace ginnel::server

#include "service/gateway/lan_resolver.h"

#include <algorithm>

#include "base/log.h"

namespace ginnel::gateway {
namespace {

std::vector<resolver::ListenPlace> places_on(const GatewayConfig& config,
                                             const hostnet::HostState& host) {
  std::vector<resolver::ListenPlace> places;
  for (const hostnet::AssignedAddress& own : host.addresses) {
    if (std::ranges::find(config.lan, own.interface) == config.lan.end()) continue;
    if (!own.usable || own.temporary || own.address.address.is_link_local()) continue;
    if (places.size() == resolver::Resolver::kMaxPlaces) break;
    places.push_back({.at = {.address = own.address.address, .port = resolver::kDnsPort},
                      .interface = own.interface});
  }
  return places;
}

}  // namespace

std::vector<LanResolver::Place> LanResolver::numbered(
    const std::vector<resolver::ListenPlace>& listen, const hostnet::HostState& host) {
  std::vector<Place> places;
  for (const resolver::ListenPlace& place : listen) {
    const hostnet::Link* link = host.find_link(place.interface);
    places.push_back({place.at, link ? link->index : 0});
  }
  return places;
}

void LanResolver::follow(const GatewayConfig& config, const hostnet::HostState& host,
                         const GatewayTunnel& active) {
  std::vector<net::Endpoint> upstreams;
  for (const net::Address& server : active.dns) {
    upstreams.push_back({.address = server, .port = resolver::kDnsPort});
  }
  const std::vector<resolver::ListenPlace> listen = places_on(config, host);
  std::vector<Place> places = numbered(listen, host);
  if (resolver_ && places == places_) {
    if (upstreams != upstreams_) resolver_->set_upstreams(upstreams);
    upstreams_ = std::move(upstreams);
    return;
  }
  resolver_.reset();
  if (listen.empty()) return;
  // As routes say: into the tunnel, and nowhere else while the host is locked.
  auto started = resolver::Resolver::start({.listen = listen, .upstreams = upstreams});
  if (!started) {
    if (!complained_) {
      log::warn(
          "names for the LAN: {}; members have to ask the tunnel's servers themselves, or "
          "--no-resolver says that another program does it",
          started.error().message);
    }
    complained_ = true;
    return;
  }
  complained_ = false;
  resolver_ = std::move(*started);
  places_ = std::move(places);
  upstreams_ = std::move(upstreams);
}

std::map<std::string, std::uint64_t> LanResolver::counters() const {
  if (!resolver_) return {};
  const auto counters = resolver_->counters();
  return {counters.begin(), counters.end()};
}

}  // namespace ginnel::gateway

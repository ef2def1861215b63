// The networks behind a server's clients, which its host reaches through the tunnel. Pure.
#pragma once

#include <map>

#include "core/config/server_config.h"
#include "core/hostnet/host_state.h"
#include "core/wg/device_config.h"

namespace ginnel::server {

// Where peers are reached at this moment, by their keys.
using PeerPlaces = std::map<crypto::PublicKey, net::Address>;
PeerPlaces peer_places(const wg::DeviceStatus& device);

// A network behind a peer in which is the place where the peer itself is reached: what is for the
// peer would be sent to the peer.
struct OwnPlace {
  net::Prefix network;
  net::Address place;
  friend bool operator==(const OwnPlace&, const OwnPlace&) = default;
};
// Of enabled peers. One that nothing was heard of yet is where its configuration says.
std::vector<OwnPlace> own_places(const config::ServerConfig& config, const PeerPlaces& places);

struct PeerRoutes {
  // But for the places where the peers themselves are: those the host reaches as it always did.
  std::vector<net::Prefix> routed;
  // What the host reaches another way keeps going there; one line each, with the remedy.
  std::vector<std::string> refused;
};

// What is routed to enabled peers and is in none of the subnets. `own` is the tunnel's interface.
PeerRoutes peer_routes(const config::ServerConfig& config, const hostnet::HostState& host,
                       std::string_view own, const PeerPlaces& places);

}  // namespace ginnel::server

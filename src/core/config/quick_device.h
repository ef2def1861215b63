// What a wg-quick file means for a device: all of it for a new one, the difference for one that
// runs. Pure; names were looked up before.
#pragma once

#include "core/config/quick_file.h"

namespace ginnel::config {

// What was looked up for a file.
struct QuickNames {
  std::optional<std::uint16_t> listen_port;
  std::vector<std::optional<net::Endpoint>> endpoints;  // Of each peer, in the file's order.
};

// As `wg addconf`: what the file does not name stays as it is. REQUIRES: an endpoint, present or
// not, for each peer.
wg::DeviceChange quick_addition(const QuickFile& file, const QuickNames& names);

// As `wg syncconf`, but that a key, port or mark which the file does not name stays. Peers that do
// not differ are not in it, so their sessions go on. REQUIRES: as above.
wg::DeviceChange quick_difference(const QuickFile& file, const QuickNames& names,
                                  const wg::DeviceStatus& device);

// Sessions are renewed after two minutes, so a peer that traffic goes to is heard of by then.
inline constexpr Duration kLostPeerSilence = 135s;

// Whether the peer's endpoint is given by name, and it may be elsewhere by now.
bool may_have_moved(const QuickPeer& peer, const wg::PeerStatus& status, UnixTime now);

// Where to try a peer that may have moved: of all addresses that its name has, the one behind the
// present one, so that each has its turn. Nothing when there is no other.
std::optional<net::Endpoint> next_endpoint(const std::vector<net::Endpoint>& found,
                                           const std::optional<net::Endpoint>& present);

}  // namespace ginnel::config

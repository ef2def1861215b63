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

}  // namespace ginnel::config

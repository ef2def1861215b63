// Calls clients where they were last, when the device has forgotten a session that they still use:
// after a restart of the server, or when they were disabled for a while. By themselves they notice
// only when nothing was answered for 15 seconds.
#pragma once

#include "core/config/server_config.h"
#include "service/server/traffic_book.h"

namespace ginnel::server {

// For the peers of `after` that the device got just now. Those whose session has ended anyway, and
// those with an endpoint of their own, are left alone.
std::vector<wg::PeerChange> call_back(const std::vector<config::ServerPeer>& before,
                                      const std::vector<config::ServerPeer>& after,
                                      const TrafficBook& traffic, UnixTime now);

}  // namespace ginnel::server

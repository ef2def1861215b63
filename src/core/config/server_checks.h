// What must hold between the peers of a server, whatever file or flag each comes from.
#pragma once

#include "core/config/server_config.h"

namespace ginnel::config {

// Completes each peer (its addresses are routed to it, and single addresses that are routed to it
// are its own), then checks names, keys, addresses and overlaps. Errors name both peers.
Status complete_peers(const Subnets& subnets, const HostAddresses& own,
                      std::vector<ServerPeer>& peers);

}  // namespace ginnel::config

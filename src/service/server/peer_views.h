// PeerViews of what files and database say, whether a server runs or not.
#pragma once

#include "core/config/server_peer.h"
#include "service/server/views.h"
#include "store/traffic_store.h"

namespace ginnel::server {

PeerView describe_peer(const config::ServerPeer& peer);
void add_traffic(const storage::Traffic& total, PeerView& view);
std::unexpected<Error> no_such_peer(std::string_view name);

}  // namespace ginnel::server

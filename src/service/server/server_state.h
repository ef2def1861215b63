// What a server keeps in its database.
#pragma once

#include "core/crypto/keys.h"
#include "net/prefix.h"
#include "service/server/server_paths.h"
#include "store/traffic_store.h"

namespace ginnel::server {

// REQUIRES: the state directory exists.
Result<std::unique_ptr<storage::Database>> open_database(const ServerPaths& paths);

// The IPv6 subnet that was chosen first, for good.
Result<net::Prefix> keep_subnet6(const storage::Database& database, const net::Prefix& proposed);

storage::PeerKey store_key(const crypto::PublicKey& key);

}  // namespace ginnel::server

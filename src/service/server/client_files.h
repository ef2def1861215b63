// The file that a client is given, from what the server is configured to be and what its host looks
// like.
#pragma once

#include "core/config/client_file.h"
#include "core/hostnet/host_state.h"

namespace ginnel::server {

// The wg-quick file of `peer`. `interface` is the server's own. The text holds keys.
Result<std::string> make_client_file(const config::ServerConfig& config,
                                     const config::ServerPeer& peer,
                                     const crypto::PublicKey& server_key,
                                     const hostnet::HostState& host, std::string_view interface);

// What clients are told to ask for names: as configured, else the host's own resolvers.
std::vector<net::Address> client_dns(const config::ServerConfig& config);

}  // namespace ginnel::server

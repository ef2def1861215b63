// The wg-quick file of one client of a server: what `ginnel peer config` prints and a QR code
// holds.
#pragma once

#include "core/config/server_config.h"

namespace ginnel::config {

struct ClientFileInputs {
  crypto::PublicKey server_key;
  HostPort endpoint;              // Where the client finds the server; has a port.
  std::vector<net::Address> dns;  // What the client shall ask. May be empty.
};

// All of a client's traffic goes through the tunnel, that of a family the tunnel does not carry
// too: it must not go around it. Without the client's private key a comment stands in its place.
// Fails for a peer that has no address of its own. The text holds keys (secret_text.h).
Result<std::string> client_file(const ServerConfig& config, const ServerPeer& peer,
                                const ClientFileInputs& inputs);

}  // namespace ginnel::config

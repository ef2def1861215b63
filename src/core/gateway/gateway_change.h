// What it means that a gateway's files were read again. Pure.
#pragma once

#include <string>
#include <vector>

#include "core/gateway/gateway_config.h"

namespace ginnel::gateway {

// Other tunnels, or in another order, are another gateway. Fails with Conflict, naming the file.
Status check_same_tunnels(const GatewayConfig& present, const GatewayConfig& next);

// The keys of a file whose lines mean something else now, in the order of wg-quick's manual:
// "Address", "PersistentKeepalive". What only a --flag says is not among them.
std::vector<std::string> changed_keys(const GatewayTunnel& before, const GatewayTunnel& after);

// Whether the other end has to be greeted: it is another one, or at another place, or knows this
// end by another key.
bool changes_session(const std::vector<std::string>& keys);

}  // namespace ginnel::gateway

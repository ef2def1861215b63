// What a server's configuration lets its clients open, in the terms of its firewall.
#pragma once

#include "core/config/server_config.h"
#include "core/hostnet/client_firewall.h"

namespace ginnel::server {

hostnet::ClientFirewall client_firewall(const config::ServerConfig& config);

}  // namespace ginnel::server

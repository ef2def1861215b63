// Names of hosts and services as this machine resolves them. Blocks for as long as its resolver
// does.
#pragma once

#include <string>
#include <vector>

#include "net/endpoint.h"

namespace ginnel::os {

// All addresses of the host, best first (RFC 6724). Fails as look_up() does.
Result<std::vector<net::Address>> look_up_host(const std::string& name);

// The first address of the host. Fails with NotFound when there is no such name, and with
// Unavailable when it cannot be told now: trying again may help.
Result<net::Endpoint> look_up(const std::string& host, const std::string& port);

// Every address of the host, best first, with the port. Fails as look_up() does.
Result<std::vector<net::Endpoint>> look_up_all(const std::string& host, const std::string& port);

// The port by its number or the name of a UDP service.
Result<std::uint16_t> look_up_port(const std::string& port);

}  // namespace ginnel::os

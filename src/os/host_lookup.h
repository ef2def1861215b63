// Names of hosts, looked up as every program on this host does: /etc/hosts, DNS, what nsswitch.conf
// says.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "net/address.h"

namespace ginnel::os {

// Blocks, for as long as the host's resolver does (half a minute, when its servers are silent). The
// addresses come best first (RFC 6724).
Result<std::vector<net::Address>> look_up_host(const std::string& name);

}  // namespace ginnel::os

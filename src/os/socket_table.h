// The TCP sockets of this network namespace, over netlink (sock_diag), as ss(8) lists them.
#pragma once

#include <vector>

#include "base/result.h"
#include "core/hostnet/lock_sessions.h"

namespace ginnel::os {

// Those that listen and those that are connected. IPv4 over an IPv6 socket is given as IPv4.
Result<std::vector<hostnet::TcpSocket>> list_tcp_sockets();

}  // namespace ginnel::os

// Who may still come in while a gateway is locked: the lock never shuts its owner out.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "core/hostnet/host_state.h"

namespace ginnel::gateway {

// The peer of an SSH session by the text of SSH_CONNECTION, "CLIENT PORT SERVER PORT". Absent: the
// text is something else.
std::optional<net::Address> ssh_peer(std::string_view ssh_connection);

// Whether the address belongs to a network that this host is on by one of its own interfaces;
// `tunnels` do not count.
bool is_on_link(const hostnet::HostState& host, const net::Address& address,
                const std::vector<std::string>& tunnels);

}  // namespace ginnel::gateway

// The kernel's link, address, route and rule messages as core/hostnet's values. Pure functions over
// one message; what is not understood gives nothing.
#pragma once

#include <optional>
#include <vector>

#include "core/hostnet/host_state.h"

struct nlmsghdr;

namespace ginnel::os {

// REQUIRES, of all: the message has its fixed part whole.
std::optional<hostnet::Link> parse_link(const nlmsghdr& message);
// Of a link message, how many queues are in use; 0 when it does not say.
std::uint32_t parse_tun_queues(const nlmsghdr& message);
std::optional<hostnet::AssignedAddress> parse_address(const nlmsghdr& message,
                                                      const std::vector<hostnet::Link>& links);
// Appends one route for each next hop.
void parse_routes(const nlmsghdr& message, const std::vector<hostnet::Link>& links,
                  std::vector<hostnet::Route>& routes);
std::optional<hostnet::RoutingRule> parse_rule(const nlmsghdr& message);

}  // namespace ginnel::os

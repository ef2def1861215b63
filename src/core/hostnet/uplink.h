// The way out of a host, and whether a tunnel's subnet gets in the way of what is there.
#pragma once

#include <optional>
#include <string>

#include "base/result.h"
#include "core/hostnet/host_state.h"

namespace ginnel::hostnet {

struct Uplink {
  std::string interface{};
  std::optional<net::Address> gateway{};  // Absent: on-link, or not known.
  std::optional<net::Address> source{};   // Absent: the interface has no usable address.
  friend bool operator==(const Uplink&, const Uplink&) = default;
};

// The default route of the main table with the lowest metric, over a link that works. Routes
// through `tunnel` do not count. Nothing: there is no way out in this family.
std::optional<Uplink> find_uplink(const HostState& state, net::Family family,
                                  std::string_view tunnel);

// The uplink that a person chose. Nothing: it does not exist or is down.
std::optional<Uplink> named_uplink(const HostState& state, net::Family family,
                                   std::string_view interface);

// An address that others may be told when there is no uplink to take it from; not one of `tunnel`.
std::optional<net::Address> any_address(const HostState& state, std::string_view tunnel);

// Fails when the host already has addresses or routes inside `subnet`, or a route that contains it,
// naming one and the flag. Routes so wide that they stand for "everything else" (the halves of the
// internet that VPNs install) do not count, nor do those that lead nowhere, nor anything of
// `tunnel`.
Status check_no_collision(const HostState& state, const net::Prefix& subnet,
                          std::string_view tunnel);

}  // namespace ginnel::hostnet

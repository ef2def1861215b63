// Routes that came while a kill switch was on: a DHCP server (option 121) or a router can lead
// parts of the internet past a tunnel (CVE-2024-3661). The filter keeps in what follows them; the
// owner of the host wants to know who tries.
#pragma once

#include <vector>

#include "core/hostnet/lock_policy.h"

namespace ginnel::hostnet {

// The routes to public networks that stand, but for default ones and for single hosts: whoever
// locks has them, and they are no alarm. Nothing when there are more than
// LockPolicy::kMaxKnownRoutes: such a host hears of routes all the time.
std::optional<std::vector<KnownRoute>> routes_to_know(const HostState& host,
                                                      const std::vector<LockedDevice>& devices);

// Those that policy.known_routes does not have. Nothing when it is absent.
std::vector<Route> injected_routes(const LockPolicy& policy, const HostState& host);

}  // namespace ginnel::hostnet

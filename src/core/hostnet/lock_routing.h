// The first layer of a kill switch: policy rules and a table of its own, in both families. It leads
// into the tunnel; it is not what keeps packets in (lock_tables.h is).
#pragma once

#include <vector>

#include "core/hostnet/lock_policy.h"
#include "core/hostnet/plan.h"

namespace ginnel::hostnet {

// The metric of the route that is left when the tunnel's is gone: the largest but one.
inline constexpr std::uint32_t kUnreachableMetric = UINT32_MAX - 1;

struct LockRouting {
  std::vector<RoutingRule> rules{};
  std::vector<Route> unreachable{};     // Lead nowhere; stand from the first moment.
  std::vector<Route> through_tunnel{};  // Of the first tunnel; empty unless it is connected.
  friend bool operator==(const LockRouting&, const LockRouting&) = default;
};

LockRouting lock_routing(const LockPolicy& policy);

// The kernel settings that go with it: a strict look at where packets come from, and no answer to
// ARP for addresses of other interfaces. `interfaces` are those whose own setting would weaken it.
std::vector<Sysctl> lock_settings(const LockPolicy& policy,
                                  const std::vector<std::string>& interfaces);

}  // namespace ginnel::hostnet

#include "core/hostnet/lock_routing.h"

#include <fmt/format.h>

#include "core/hostnet/nft_members.h"

namespace ginnel::hostnet {
namespace {

constexpr net::Family kFamilies[] = {net::Family::V4, net::Family::V6};

net::Prefix everything(net::Family family) {
  return net::Prefix::masking(net::Address::any(family), 0);
}

// What is reached directly, by the main table. An endpoint is not among it: the mark alone leads
// there, or any program could reach it in clear.
std::vector<net::Prefix> direct_prefixes(const LockPolicy& policy) {
  std::vector<net::Prefix> prefixes = policy.manage;
  for (const LockedLan& lan : policy.lans) {
    prefixes.insert(prefixes.end(), lan.prefixes.begin(), lan.prefixes.end());
  }
  for (const net::Address& server : policy.dhcp_servers) {
    prefixes.push_back(net::Prefix::host(server));
  }
  if (policy.passes_allowed()) {
    prefixes.insert(prefixes.end(), policy.allowed.begin(), policy.allowed.end());
  }
  return nft::normalized(std::move(prefixes));
}

}  // namespace

LockRouting lock_routing(const LockPolicy& policy) {
  LockRouting routing;
  if (policy.state == LockState::Off) return routing;
  for (const net::Prefix& prefix : direct_prefixes(policy)) {
    routing.rules.push_back({.family = prefix.family(),
                             .priority = policy.allowed_priority,
                             .to = prefix,
                             .table = kMainTable,
                             .origin = RouteOrigin::Ginnel});
  }
  for (net::Family family : kFamilies) {
    RoutingRule unmarked{.family = family,
                         .priority = policy.tunnel_priority,
                         .mark = policy.mark.value,
                         .mark_mask = policy.mark.mask,
                         .inverted = true,
                         .table = policy.table,
                         .origin = RouteOrigin::Ginnel};
    routing.rules.push_back(unmarked);
    // A table that is gone would let packets fall through to the main one.
    unmarked.priority = policy.unreachable_priority;
    unmarked.action = RuleAction::Unreachable;
    unmarked.table = 0;
    routing.rules.push_back(unmarked);
    routing.unreachable.push_back({.destination = everything(family),
                                   .table = policy.table,
                                   .metric = kUnreachableMetric,
                                   .origin = RouteOrigin::Ginnel,
                                   .type = RouteType::Unreachable});
    if (!policy.passes_tunnel() || policy.tunnels.empty()) continue;
    routing.through_tunnel.push_back({.destination = everything(family),
                                      .interface = policy.tunnels.front(),
                                      .table = policy.table,
                                      .origin = RouteOrigin::Ginnel});
  }
  return routing;
}

std::vector<Sysctl> lock_settings(const LockPolicy& policy,
                                  const std::vector<std::string>& interfaces) {
  if (policy.state == LockState::Off) return {};
  std::vector<Sysctl> settings = {
      {.path = "net/ipv4/conf/all/src_valid_mark", .value = "1"},
      {.path = "net/ipv4/conf/all/arp_ignore", .value = "2"},
      {.path = "net/ipv4/conf/default/rp_filter", .value = "1"},
      {.path = "net/ipv4/conf/all/rp_filter", .value = "1"},
  };
  // The larger of an interface's own and the common one counts, and 2 is the looser.
  for (const std::string& interface : interfaces) {
    settings.push_back(
        {.path = fmt::format("net/ipv4/conf/{}/rp_filter", interface), .value = "1"});
  }
  return settings;
}

}  // namespace ginnel::hostnet

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
  std::erase_if(prefixes, is_wide);
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

bool is_endpoint(const LockPolicy& policy, const net::Address& address) {
  return std::ranges::any_of(
      policy.endpoints, [&](const net::Endpoint& endpoint) { return endpoint.address == address; });
}

// A user's sockets find the way, and with it their own address, before they have sent anything. A
// cgroup is known by the mark of what has been sent only. The servers that names are asked of stay
// behind the tunnel for them, too.
void add_split(const LockPolicy& policy, net::Family family, std::vector<RoutingRule>& rules) {
  if (!policy.passes_allowed() || policy.split.empty()) return;
  for (const net::Address& server : policy.dns) {
    // The tunnel's own datagrams must not be led into it.
    if (server.family() != family || is_endpoint(policy, server)) continue;
    rules.push_back({.family = family,
                     .priority = policy.split_dns_priority(),
                     .to = net::Prefix::host(server),
                     .table = policy.table,
                     .origin = RouteOrigin::Ginnel});
  }
  for (std::size_t place = 0; place < policy.split.size(); ++place) {
    const SplitProgram& program = policy.split[place];
    const MarkBits mark = policy.split_mark_of(place);
    RoutingRule rule{.family = family,
                     .priority = policy.split_priority(),
                     .mark = mark.value,
                     .mark_mask = mark.mask,
                     .table = kMainTable,
                     .origin = RouteOrigin::Ginnel};
    rules.push_back(rule);
    if (!program.has_user()) continue;
    rule.mark = rule.mark_mask = 0;
    rule.users = {.first = program.user, .last = program.user};
    rules.push_back(rule);
  }
}

// Answers to whoever manages from anywhere go by what they are sent from: by where they go, the
// tunnel would be left with nothing. That a program may send from there too is the filter's affair.
void add_answers(const LockPolicy& policy, std::vector<RoutingRule>& rules) {
  for (const net::Prefix& prefix : nft::normalized(policy.manage)) {
    if (!is_wide(prefix)) continue;
    for (const net::InterfaceAddress& own : policy.own_addresses) {
      if (own.address.family() != prefix.family()) continue;
      RoutingRule rule{.family = prefix.family(),
                       .priority = policy.allowed_priority,
                       .from = net::Prefix::host(own.address),
                       .table = kMainTable,
                       .origin = RouteOrigin::Ginnel};
      // The kernel lists no prefix of length 0, and the rule would never be what it should be.
      if (prefix.length() > 0) rule.to = prefix;
      rules.push_back(std::move(rule));
    }
  }
}

// Whoever adds an IPv4 route by way of a router has the kernel look, by these rules, whether that
// router is on the link; the tunnel's table would say that it is not, and the host would be without
// a way out after its uplink was down. A program that binds itself to an interface needs no route
// to send there: that is the filter's affair.
void add_uplinks(const LockPolicy& policy, std::vector<RoutingRule>& rules) {
  for (const LockedDevice& device : policy.devices) {
    rules.push_back({.priority = policy.allowed_priority,
                     .out_interface = device.name,
                     .table = kMainTable,
                     .origin = RouteOrigin::Ginnel});
  }
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
  add_answers(policy, routing.rules);
  add_uplinks(policy, routing.rules);
  for (net::Family family : kFamilies) {
    add_split(policy, family, routing.rules);
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

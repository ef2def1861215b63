#include "core/gateway/gateway_network.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/gateway/management.h"
#include "core/hostnet/lock_routing.h"

namespace ginnel::gateway {
namespace {

namespace nft = hostnet::nft;
using hostnet::HostState;

constexpr net::Family kFamilies[] = {net::Family::V4, net::Family::V6};

nft::InterfaceIs in(std::vector<std::string> names, nft::Is is = nft::Is::Yes) {
  return {.direction = nft::Direction::In, .names = std::move(names), .is = is};
}
nft::InterfaceIs out(std::vector<std::string> names) {
  return {.direction = nft::Direction::Out, .names = std::move(names)};
}

bool contains(const std::vector<std::string>& names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

bool is_private(const net::Prefix& prefix) {
  return prefix.address().is_private() && prefix.last().is_private();
}

// Which interface the main table sends the prefix to; empty: none, or the default route's.
std::string way_to(const HostState& host, const net::Prefix& prefix) {
  const hostnet::Route* best = nullptr;
  for (const hostnet::Route& route : host.routes) {
    if (route.table != hostnet::kMainTable || route.is_default()) continue;
    if (!route.destination.contains(prefix)) continue;
    if (best == nullptr || route.destination.length() > best->destination.length()) best = &route;
  }
  return best == nullptr ? "" : best->interface;
}

void add_once(std::vector<net::Prefix>& prefixes, const net::Prefix& prefix) {
  if (std::ranges::find(prefixes, prefix) == prefixes.end()) prefixes.push_back(prefix);
}

Status check_not_inside(std::string_view what, const net::Address& address,
                        const std::vector<net::Prefix>& direct) {
  for (const net::Prefix& prefix : direct) {
    if (!prefix.contains(address)) continue;
    return fail(ErrorCode::Conflict,
                fmt::format("{}: {} lies in {}, which is reached directly and not through the "
                            "tunnel; give the LAN another subnet, or leave it out of --local",
                            what, address.to_string(), prefix.to_string()));
  }
  return ok();
}

Status check_tunnel(const GatewayTunnel& tunnel, const std::vector<net::Prefix>& direct) {
  for (const net::InterfaceAddress& own : tunnel.file.addresses) {
    if (own.address.is_link_local()) continue;
    Status apart = check_not_inside(tunnel.path + ": Address", own.address, direct);
    if (!apart) return apart;
  }
  for (const net::Address& server : tunnel.dns) {
    Status apart = check_not_inside(tunnel.path + ": DNS", server, direct);
    if (!apart) return apart;
  }
  return ok();
}

std::vector<net::InterfaceAddress> wanted_addresses(const GatewayTunnel& tunnel) {
  std::vector<net::InterfaceAddress> addresses;
  for (const net::InterfaceAddress& own : tunnel.file.addresses) {
    if (tunnel.carries(own.address.family())) addresses.push_back(own);
  }
  return addresses;
}

nft::Chain translation(const GatewayConfig& config) {
  return {.name = "translate",
          .base = nft::Base{.type = nft::ChainType::Nat,
                            .hook = nft::Hook::Postrouting,
                            .priority = nft::kPrioritySourceNat},
          .rules = {{.terms = {out(config.tunnel_names()), nft::Masquerade{}}}}};
}

// What the active tunnel cannot carry is refused at once, so that programs go on with the other
// family instead of waiting.
nft::Chain refusal(std::string_view name, nft::Hook hook, const GatewayConfig& config,
                   const GatewayFacts& facts) {
  nft::Chain chain{.name = std::string(name), .base = nft::Base{.hook = hook}};
  const GatewayTunnel& active = config.tunnels[facts.active];
  for (net::Family family : kFamilies) {
    if (active.carries(family)) continue;
    chain.rules.push_back(
        {.terms = {out(config.tunnel_names()), nft::FamilyIs{family}, nft::Counter{},
                   nft::Reject{nft::RejectWith::AdminProhibited}}});
  }
  return chain;
}

// The rest is what the lock has too.
nft::Chain clamp(const GatewayConfig& config) {
  return {.name = "clamp",
          .base = nft::Base{.hook = nft::Hook::Forward, .priority = nft::kPriorityMangle},
          .rules = {{.terms = {out(config.tunnel_names()), nft::TcpSyn{}, nft::ClampMss{}}},
                    {.terms = {in(config.tunnel_names()), nft::TcpSyn{}, nft::ClampMss{}}}}};
}

nft::Chain guard(const GatewayConfig& config, const hostnet::LockPolicy& policy) {
  nft::Chain chain{.name = "guard",
                   .base = nft::Base{.hook = nft::Hook::Prerouting, .priority = nft::kPriorityRaw}};
  for (net::Family family : kFamilies) {
    std::vector<net::Prefix> own;
    for (const net::Address& address : policy.tunnel_addresses) {
      if (address.family() == family) own.push_back(net::Prefix::host(address));
    }
    if (own.empty()) continue;
    chain.rules.push_back(
        {.terms = {in(config.tunnel_names(), nft::Is::No),
                   nft::AddressIn{.side = nft::Side::Destination, .prefixes = std::move(own)},
                   nft::AddressTypeIs{.type = nft::AddressType::Local, .is = nft::Is::No},
                   nft::Drop{}}});
  }
  chain.rules.push_back({.terms = {in(config.lan), nft::FamilyIs{net::Family::V4},
                                   nft::ReversePathMissing{}, nft::Counter{}, nft::Drop{}}});
  return chain;
}

nft::Chain answers(const hostnet::LockPolicy& policy) {
  nft::Chain chain{
      .name = "answers",
      .base = nft::Base{.hook = nft::Hook::Prerouting, .priority = nft::kPriorityMangle}};
  for (const net::Endpoint& endpoint : policy.endpoints) {
    chain.rules.push_back(
        {.terms = {
             nft::AddressIn{.prefixes = {net::Prefix::host(endpoint.address)}},
             nft::PortIn{.side = nft::Side::Source, .ports = {nft::PortRange::one(endpoint.port)}},
             nft::SetMark{.value = policy.mark.value, .mask = policy.mark.mask}}});
  }
  return chain;
}

// The first layer of the lock, without what outlives the tunnel.
void add_unlocked(const GatewayConfig& config, const hostnet::LockPolicy& policy,
                  hostnet::WantedHost& wanted) {
  const hostnet::LockRouting routing = hostnet::lock_routing(policy);
  for (const hostnet::RoutingRule& rule : routing.rules) {
    if (rule.action == hostnet::RuleAction::Lookup) wanted.network.rules.push_back(rule);
  }
  for (hostnet::WantedInterface& interface : wanted.network.interfaces) {
    std::vector<hostnet::Route> routes = routing.through_tunnel;
    if (interface.name != policy.tunnels.front()) {
      for (hostnet::Route& route : routes) route.interface = interface.name;
      interface.former->routes = std::move(routes);
    } else {
      interface.routes = std::move(routes);
    }
  }
  std::vector<nft::Chain>& chains = wanted.tables.front().chains;
  chains.push_back(guard(config, policy));
  chains.push_back(answers(policy));
  chains.push_back(clamp(config));
  wanted.sysctls.push_back({.path = "net/ipv4/conf/all/src_valid_mark", .value = "1"});
}

// What a lease says comes from a stranger, and other programs' packets to that address would be
// held up instead of going through the tunnel. So it has to be near, and nothing of a tunnel's.
std::vector<net::Address> believable_servers(const GatewayConfig& config, const HostState& host,
                                             const GatewayFacts& facts) {
  std::vector<net::Address> servers = config.dhcp_servers;
  for (const net::Address& server : facts.dhcp_servers) {
    const bool is_near = server.is_private() || is_on_link(host, server, config.tunnel_names());
    const bool is_tunnels = std::ranges::any_of(config.tunnels, [&](const GatewayTunnel& tunnel) {
      return std::ranges::find(tunnel.dns, server) != tunnel.dns.end();
    });
    if (is_near && !is_tunnels) servers.push_back(server);
  }
  return servers;
}

}  // namespace

std::vector<net::Prefix> lan_prefixes(const GatewayConfig& config, const HostState& host,
                                      const std::string& interface) {
  std::vector<net::Prefix> prefixes;
  for (const hostnet::AssignedAddress& own : host.addresses) {
    const net::Prefix subnet = own.address.subnet();
    if (own.interface != interface || subnet.is_host() || !is_private(subnet)) continue;
    if (!subnet.address().is_link_local()) add_once(prefixes, subnet);
  }
  for (const net::Prefix& prefix : config.local) {
    if (way_to(host, prefix) == interface) add_once(prefixes, prefix);
  }
  add_once(prefixes, *net::Prefix::parse("fe80::/10"));
  return prefixes;
}

Status check_fit(const GatewayConfig& config, const HostState& host) {
  std::vector<net::Prefix> direct = config.local;
  for (const std::string& name : config.lan) {
    if (host.find_link(name) == nullptr) {
      return fail(ErrorCode::NotFound, fmt::format("--lan: there is no interface {}; \"ip link\" "
                                                   "lists those there are",
                                                   name));
    }
    const std::vector<net::Prefix> own = lan_prefixes(config, host, name);
    if (own.size() == 1) {  // Link-local only.
      return fail(
          ErrorCode::Conflict,
          fmt::format("--lan: {} has no private subnet; give it an address, as in \"ip addr "
                      "add 10.100.0.2/24 dev {}\", or name a public one with --local",
                      name, name));
    }
    direct.insert(direct.end(), own.begin(), own.end());
  }
  for (const GatewayTunnel& tunnel : config.tunnels) {
    if (Status fits = check_tunnel(tunnel, direct); !fits) return fits;
  }
  return ok();
}

hostnet::LockPolicy gateway_policy(const GatewayConfig& config, const HostState& host,
                                   const GatewayFacts& facts) {
  hostnet::LockPolicy policy{.state = facts.state};
  policy.holder = fmt::format("gateway:{}", config.tunnels.front().interface);
  policy.mark = {.value = config.mark.value, .mask = config.mark.mask};
  policy.table = config.table;
  policy.allowed_priority = config.priorities.local;
  policy.tunnel_priority = config.priorities.tunnel;
  policy.unreachable_priority = config.priorities.refuse;
  policy.manage = facts.manage;
  policy.resolvers = facts.resolvers;
  policy.dhcp_servers = believable_servers(config, host, facts);
  policy.tunnels = config.tunnel_names();
  std::rotate(policy.tunnels.begin(), policy.tunnels.begin() + static_cast<long>(facts.active),
              policy.tunnels.begin() + static_cast<long>(facts.active) + 1);
  for (std::size_t i = 0; i < config.tunnels.size(); ++i) {
    const GatewayTunnel& tunnel = config.tunnels[i];
    const TunnelFacts& known = facts.tunnels[i];
    policy.endpoints.insert(policy.endpoints.end(), known.endpoints.begin(), known.endpoints.end());
    if (known.listen_port != 0) policy.listen_ports.push_back(known.listen_port);
    for (const net::InterfaceAddress& own : wanted_addresses(tunnel)) {
      policy.tunnel_addresses.push_back(own.address);
    }
    policy.dns.insert(policy.dns.end(), tunnel.dns.begin(), tunnel.dns.end());
  }
  const auto once = [](auto& list) {
    std::ranges::sort(list);
    list.erase(std::ranges::unique(list).begin(), list.end());
  };
  once(policy.endpoints);
  once(policy.listen_ports);
  once(policy.tunnel_addresses);
  once(policy.dns);
  once(policy.dhcp_servers);
  for (const std::string& name : config.lan) {
    policy.lans.push_back({.interface = name, .prefixes = lan_prefixes(config, host, name)});
  }
  for (const net::Prefix& prefix : config.local) {
    if (!contains(config.lan, way_to(host, prefix))) policy.allowed.push_back(prefix);
  }
  policy.devices = hostnet::lockable_devices(host, policy.tunnels, policy.lans);
  policy.own_addresses = hostnet::addresses_to_answer_from(host, policy);
  return policy;
}

hostnet::WantedHost gateway_wishes(const GatewayConfig& config, const hostnet::LockPolicy& policy,
                                   const GatewayFacts& facts) {
  hostnet::WantedHost wanted;
  for (std::size_t i = 0; i < config.tunnels.size(); ++i) {
    wanted.network.interfaces.push_back({.name = config.tunnels[i].interface,
                                         .mtu = facts.tunnels[i].mtu,
                                         .addresses = wanted_addresses(config.tunnels[i]),
                                         // Its routes are the lock's.
                                         .former = hostnet::FormerInterface{}});
  }
  const hostnet::Owner owner = gateway_owner(config);
  wanted.tables.push_back(
      {.family = nft::Family::Inet,
       .name = owner.table_name(),
       .comment = owner.mark(),
       .chains = {translation(config),
                  refusal("refuse_forwarded", nft::Hook::Forward, config, facts),
                  refusal("refuse_local", nft::Hook::Output, config, facts)}});
  if (!config.kill_switch) add_unlocked(config, policy, wanted);
  return wanted;
}

}  // namespace ginnel::gateway

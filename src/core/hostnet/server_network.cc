#include "core/hostnet/server_network.h"

#include "core/hostnet/nft_members.h"
#include "core/hostnet/outbound_routing.h"

namespace ginnel::hostnet {
namespace {

using nft::Accept;
using nft::AddressIn;
using nft::Chain;
using nft::ChainType;
using nft::ClampMss;
using nft::ConnStateIn;
using nft::Counter;
using nft::Direction;
using nft::Drop;
using nft::FamilyIs;
using nft::Goto;
using nft::Hook;
using nft::InterfaceIs;
using nft::Is;
using nft::Jump;
using nft::Masquerade;
using nft::NoTrack;
using nft::PortIn;
using nft::PortRange;
using nft::ProtocolIn;
using nft::Rule;
using nft::Side;
using nft::TcpSyn;

constexpr std::uint16_t kFirstUserPort = 1024;

InterfaceIs in(const std::string& name, Is is = Is::Yes) {
  return {.direction = Direction::In, .names = {name}, .is = is};
}
InterfaceIs out(const std::string& name, Is is = Is::Yes) {
  return {.direction = Direction::Out, .names = {name}, .is = is};
}
AddressIn from(const net::Prefix& prefix) { return {.side = Side::Source, .prefixes = {prefix}}; }
AddressIn to(const net::Prefix& prefix) {
  return {.side = Side::Destination, .prefixes = {prefix}};
}
// From another link.
InterfaceIs elsewhere(const ServerNetwork& network) {
  return {.direction = Direction::In, .names = {"lo", network.interface}, .is = Is::No};
}
PortIn listen_port(const ServerNetwork& network, Side side) {
  return {.side = side, .ports = {PortRange::one(network.listen_port)}};
}

// Nobody else speaks for the networks behind clients either. One rule takes so many and no more.
void append_forged(const ServerNetwork& network, Chain& chain) {
  for (const net::Family family : {net::Family::V4, net::Family::V6}) {
    AddressIn forged{.side = Side::Source};
    const auto append = [&] {
      if (forged.prefixes.empty()) return;
      chain.rules.push_back({.terms = {elsewhere(network), forged, Counter{}, Drop{}}});
      forged.prefixes.clear();
    };
    for (const net::Prefix& prefix : network.routed) {
      if (prefix.family() != family) continue;
      forged.prefixes.push_back(prefix);
      if (forged.prefixes.size() == nft::kMaxListLength) append();
    }
    append();
  }
}

// Those who are admitted pass; what they may reach is decided where the connection is known.
void append_probes(const ServerNetwork& network, const net::Prefix& subnet, Chain& chain) {
  std::vector<net::Prefix> admitted;
  for (const net::FlowRule& rule : network.admitted) {
    if (rule.target == net::FlowRule::Target::Any) return;
    std::ranges::copy_if(
        rule.prefixes(), std::back_inserter(admitted),
        [&](const net::Prefix& prefix) { return prefix.family() == subnet.family(); });
  }
  Rule rule{.terms = {elsewhere(network)}};
  if (!admitted.empty()) {
    rule.terms.push_back(AddressIn{
        .side = Side::Source, .prefixes = nft::normalized(std::move(admitted)), .is = Is::No});
  }
  rule.terms.insert(rule.terms.end(), {to(subnet), Counter{}, Drop{}});
  chain.rules.push_back(std::move(rule));
}

// Nobody but the tunnel speaks for the tunnel's addresses, and nobody else reaches them: a
// neighbour who forges one would otherwise reach what trusts the subnet, and one who guesses them
// would learn of connections by what is answered (CVE-2019-14899).
Chain guard(const ServerNetwork& network) {
  Chain chain{.name = "guard",
              .base = nft::Base{.hook = Hook::Prerouting, .priority = nft::kPriorityRaw}};
  for (const auto& subnet : {network.subnet4, network.subnet6}) {
    if (!subnet) continue;
    chain.rules.push_back({.terms = {elsewhere(network), from(*subnet), Counter{}, Drop{}}});
    append_probes(network, *subnet, chain);
  }
  // What comes for the server's port is the server's, whatever connection somebody behind this host
  // has made its answers look like (port shadow, CVE-2021-3773). Also from a network behind a
  // client: the client may itself be in it.
  Rule untracked{.terms = {listen_port(network, Side::Destination)}};
  if (network.listen_address) {
    untracked.terms.push_back(to(net::Prefix::host(*network.listen_address)));
  } else {
    untracked.terms.push_back(
        nft::AddressTypeIs{.side = Side::Destination, .type = nft::AddressType::Local});
  }
  untracked.terms.push_back(NoTrack{});
  untracked.terms.push_back(Accept{});
  chain.rules.push_back(std::move(untracked));
  append_forged(network, chain);
  return chain;
}

Chain answers(const ServerNetwork& network) {
  return {.name = "answers",
          .base = nft::Base{.hook = Hook::Output, .priority = nft::kPriorityRaw},
          .rules = {{.terms = {listen_port(network, Side::Source), NoTrack{}}}}};
}

// What clients send that belongs to no connection.
Rule without_connection(const ServerNetwork& network) {
  return {.terms = {in(network.interface), ConnStateIn{nft::kInvalid | nft::kUntracked}, Counter{},
                    Drop{}}};
}
// What clients open is judged, and what answers that; what others open to them is not theirs.
Rule opened(const ServerNetwork& network) {
  return {.terms = {in(network.interface), nft::ConnWayIs{nft::ConnWay::Original},
                    Jump{std::string(kClientChain)}}};
}
Rule answered(const ServerNetwork& network) {
  return {.terms = {out(network.interface), nft::ConnWayIs{nft::ConnWay::Reply},
                    Jump{std::string(kClientChain)}}};
}

// By the host itself.
Chain served(const ServerNetwork& network) {
  return {.name = "served", .base = nft::Base{.hook = Hook::Output}, .rules = {answered(network)}};
}

Chain listen(const ServerNetwork& network) {
  Chain chain{.name = "listen", .base = nft::Base{.hook = Hook::Input}};
  if (!network.firewall.is_empty()) {
    chain.rules.push_back(without_connection(network));
    chain.rules.push_back(opened(network));
  }
  for (const auto& subnet : {network.subnet4, network.subnet6}) {
    if (!subnet || network.admitted.empty()) continue;
    chain.rules.push_back(
        {.terms = {elsewhere(network), to(*subnet), nft::ConnWayIs{nft::ConnWay::Original},
                   Goto{std::string(kAdmissionChain)}}});
  }
  chain.rules.push_back({.terms = {listen_port(network, Side::Destination), Counter{}, Accept{}}});
  return chain;
}

void add_way_out(const ServerNetwork& network, Chain& chain) {
  const struct {
    net::Family family;
    const std::string& uplink;
  } ways[] = {{net::Family::V4, network.uplink4}, {net::Family::V6, network.uplink6}};
  for (const auto& [family, uplink] : ways) {
    const FamilyIs this_family{family};
    if (!uplink.empty()) {
      chain.rules.push_back({.terms = {in(network.interface), out(uplink), this_family, Accept{}}});
    }
    if (network.only_uplink) {
      chain.rules.push_back({.terms = {in(network.interface), this_family, Counter{}, Drop{}}});
    }
  }
}

// Policy accept: every forwarded packet of the host comes through here, not only the tunnel's.
Chain forwarded(const ServerNetwork& network) {
  const std::string& tunnel = network.interface;
  Chain chain{.name = "forwarded", .base = nft::Base{.hook = Hook::Forward}};
  chain.rules = {
      {.terms = {in(tunnel), TcpSyn{}, ClampMss{}}},
      {.terms = {out(tunnel), TcpSyn{}, ClampMss{}}},
  };
  if (!network.firewall.is_empty()) {
    chain.rules.push_back(without_connection(network));
    chain.rules.push_back(opened(network));
    chain.rules.push_back(answered(network));
  }
  Rule between{.terms = {in(tunnel), out(tunnel)}};
  if (network.client_to_client) {
    between.terms.push_back(Accept{});
  } else {
    between.terms.push_back(Counter{});
    between.terms.push_back(Drop{});
  }
  chain.rules.push_back(std::move(between));
  if (!network.admitted.empty()) {
    chain.rules.push_back({.terms = {out(tunnel), nft::ConnWayIs{nft::ConnWay::Original},
                                     Goto{std::string(kAdmissionChain)}}});
    chain.rules.push_back({.terms = {in(tunnel), nft::ConnWayIs{nft::ConnWay::Reply}, Accept{}}});
  }
  chain.rules.push_back(
      {.terms = {out(tunnel), ConnStateIn{nft::kEstablished | nft::kRelated}, Accept{}}});
  chain.rules.push_back({.terms = {out(tunnel), Counter{}, Drop{}}});
  // Nobody translates it.
  chain.rules.push_back(without_connection(network));
  add_way_out(network, chain);
  return chain;
}

// Whatever it leaves by: the way out may be another one before anybody has told us. Ports are drawn
// at random, so that a client does not learn from its own which ones others use.
Chain translate(const ServerNetwork& network) {
  Chain chain{
      .name = "translate",
      .base = nft::Base{
          .type = ChainType::Nat, .hook = Hook::Postrouting, .priority = nft::kPrioritySourceNat}};
  const InterfaceIs outside{
      .direction = Direction::Out, .names = {"lo", network.interface}, .is = Is::No};
  const ProtocolIn ports{{nft::Protocol::Tcp, nft::Protocol::Udp}};
  const Masquerade to_ports{.ports = translated_ports(network.listen_port), .random = true};
  chain.rules = {{.terms = {in(network.interface), outside, ports, to_ports}},
                 {.terms = {in(network.interface), outside, Masquerade{.random = true}}}};
  // What the host itself sends from the tunnel's addresses.
  for (const auto& subnet : {network.subnet4, network.subnet6}) {
    if (subnet) chain.rules.push_back({.terms = {outside, from(*subnet), Masquerade{}}});
  }
  return chain;
}

// What was not translated, because its connection is older than the rule for it, does not leave.
Chain untranslated(const ServerNetwork& network) {
  return {.name = "untranslated",
          .base = nft::Base{.hook = Hook::Postrouting, .priority = nft::kPriorityAfterNat},
          .rules = {{.terms = {in(network.interface), out(network.interface, Is::No),
                               nft::ConnWayIs{nft::ConnWay::Original},
                               nft::SourceTranslated{Is::No}, Counter{}, Drop{}}}}};
}

}  // namespace

nft::PortRange translated_ports(std::uint16_t listen_port) {
  const std::uint16_t below = listen_port > kFirstUserPort ? listen_port - kFirstUserPort : 0;
  const std::uint16_t above = UINT16_MAX - listen_port;
  if (below > above) return {kFirstUserPort, static_cast<std::uint16_t>(listen_port - 1)};
  return {std::max(kFirstUserPort, static_cast<std::uint16_t>(listen_port + 1)), UINT16_MAX};
}

nft::Table server_table(const ServerNetwork& network) {
  const Owner owner = network.owner();
  nft::Table table{.family = nft::Family::Inet,
                   .name = owner.table_name(),
                   .comment = owner.mark(),
                   .chains = {guard(network), answers(network), listen(network), forwarded(network),
                              translate(network), untranslated(network)}};
  if (!network.admitted.empty()) table.chains.push_back(admission_chain(network.admitted));
  if (network.firewall.is_empty()) return table;
  table.chains.push_back(served(network));
  append_client_firewall(network.firewall, table);
  return table;
}

nft::Table server_arp_table(const ServerNetwork& network) {
  const Owner owner = network.owner();
  nft::Table table{.family = nft::Family::Arp, .name = owner.table_name(), .comment = owner.mark()};
  if (!network.subnet4) return table;
  table.chains = {{.name = "asked",
                   .base = nft::Base{.hook = Hook::Input},
                   .rules = {{.terms = {in(network.interface, Is::No),
                                        nft::ArpTargetIn{*network.subnet4}, Counter{}, Drop{}}}}}};
  return table;
}

WantedHost server_host(const ServerNetwork& network, const HostState& current,
                       std::vector<Sysctl> settings) {
  WantedHost wanted{.tables = {server_table(network), server_arp_table(network)},
                    .sysctls = std::move(settings)};
  wanted.network =
      outbound_network(current, {.tunnel = network.interface,
                                 .outbound = network.only_uplink ? network.uplink4 : "",
                                 .table = outbound_table(network.listen_port),
                                 .ipv6 = network.subnet6.has_value()});
  WantedInterface tunnel{
      .name = network.interface, .mtu = network.mtu, .addresses = network.addresses};
  for (const net::Prefix& prefix : network.routed) {
    tunnel.routes.push_back(
        {.destination = prefix, .interface = network.interface, .origin = RouteOrigin::Ginnel});
  }
  wanted.network.interfaces = {std::move(tunnel)};
  return wanted;
}

}  // namespace ginnel::hostnet

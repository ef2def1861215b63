#include "core/hostnet/server_network.h"

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
using nft::Hook;
using nft::InterfaceIs;
using nft::Is;
using nft::Masquerade;
using nft::PortIn;
using nft::PortRange;
using nft::Rule;
using nft::Side;
using nft::TcpSyn;

InterfaceIs in(const std::string& name, Is is = Is::Yes) {
  return {.direction = Direction::In, .names = {name}, .is = is};
}
InterfaceIs out(const std::string& name, Is is = Is::Yes) {
  return {.direction = Direction::Out, .names = {name}, .is = is};
}
AddressIn from(const net::Prefix& prefix) { return {.side = Side::Source, .prefixes = {prefix}}; }

// Nobody but the tunnel speaks for the tunnel's addresses: a neighbour who forges one would
// otherwise reach what trusts the subnet, and be masqueraded.
Chain spoof_guard(const ServerNetwork& network) {
  Chain chain{.name = "spoof_guard",
              .base = nft::Base{.hook = Hook::Prerouting, .priority = nft::kPriorityRaw}};
  for (const auto& subnet : {network.subnet4, network.subnet6}) {
    if (!subnet) continue;
    const InterfaceIs elsewhere{
        .direction = Direction::In, .names = {"lo", network.interface}, .is = Is::No};
    chain.rules.push_back({.terms = {elsewhere, from(*subnet), Counter{}, Drop{}}});
  }
  return chain;
}

Chain listen(const ServerNetwork& network) {
  const PortIn port{.side = Side::Destination, .ports = {PortRange::one(network.listen_port)}};
  return {.name = "listen",
          .base = nft::Base{.hook = Hook::Input},
          .rules = {{.terms = {port, Counter{}, Accept{}}}}};
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
  Rule between{.terms = {in(tunnel), out(tunnel)}};
  if (network.client_to_client) {
    between.terms.push_back(Accept{});
  } else {
    between.terms.push_back(Counter{});
    between.terms.push_back(Drop{});
  }
  chain.rules.push_back(std::move(between));
  chain.rules.push_back(
      {.terms = {out(tunnel), ConnStateIn{nft::kEstablished | nft::kRelated}, Accept{}}});
  chain.rules.push_back({.terms = {out(tunnel), Counter{}, Drop{}}});
  add_way_out(network, chain);
  return chain;
}

Chain translate(const ServerNetwork& network) {
  Chain chain{
      .name = "translate",
      .base = nft::Base{
          .type = ChainType::Nat, .hook = Hook::Postrouting, .priority = nft::kPrioritySourceNat}};
  if (network.subnet4 && !network.uplink4.empty()) {
    chain.rules.push_back({.terms = {out(network.uplink4), from(*network.subnet4), Masquerade{}}});
  }
  if (network.subnet6 && !network.uplink6.empty()) {
    chain.rules.push_back({.terms = {out(network.uplink6), from(*network.subnet6), Masquerade{}}});
  }
  return chain;
}

}  // namespace

nft::Table server_table(const ServerNetwork& network) {
  const Owner owner = network.owner();
  return {
      .family = nft::Family::Inet,
      .name = owner.table_name(),
      .comment = owner.mark(),
      .chains = {spoof_guard(network), listen(network), forwarded(network), translate(network)}};
}

WantedHost server_host(const ServerNetwork& network, const HostState& current,
                       std::vector<Sysctl> settings) {
  WantedHost wanted{.tables = {server_table(network)}, .sysctls = std::move(settings)};
  wanted.network =
      outbound_network(current, {.tunnel = network.interface,
                                 .outbound = network.only_uplink ? network.uplink4 : "",
                                 .table = outbound_table(network.listen_port),
                                 .ipv6 = network.subnet6.has_value()});
  wanted.network.interfaces = {
      {.name = network.interface, .mtu = network.mtu, .addresses = network.addresses}};
  return wanted;
}

}  // namespace ginnel::hostnet

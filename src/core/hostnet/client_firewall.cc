#include "core/hostnet/client_firewall.h"

#include <fmt/format.h>

#include <map>
#include <tuple>

#include "core/hostnet/nft_members.h"

namespace ginnel::hostnet {
namespace {

using nft::Chain;
using nft::ConnAddressIn;
using nft::ConnPortIn;
using nft::ConnStateIn;
using nft::ConnWay;
using nft::ConnWayIs;
using nft::Counter;
using nft::Goto;
using nft::Jump;
using nft::Protocol;
using nft::ProtocolIn;
using nft::Return;
using nft::Rule;
using nft::Side;
using nft::Term;

constexpr std::string_view kRefuseChain = "refuse";
constexpr std::string_view kEveryoneChain = "everyone";
constexpr std::uint16_t kDnsPort = 53;
constexpr net::Family kFamilies[] = {net::Family::V4, net::Family::V6};

// Where the connection leads, whatever was translated.
ConnAddressIn to(std::vector<net::Prefix> prefixes) {
  return {.way = ConnWay::Reply, .side = Side::Source, .prefixes = std::move(prefixes)};
}
// Who opened it.
ConnAddressIn by(std::vector<net::Prefix> prefixes) {
  return {.way = ConnWay::Original, .side = Side::Source, .prefixes = std::move(prefixes)};
}
ConnPortIn to_port(Protocol protocol, nft::PortRange ports) {
  return {.protocol = protocol, .way = ConnWay::Reply, .side = Side::Source, .ports = ports};
}

// Rules that differ in the place only are one.
using Likeness = std::tuple<net::FlowProtocol, std::optional<net::PortRange>>;
struct Places {
  bool any = false;
  std::vector<net::Prefix> prefixes{};
};

std::map<Likeness, Places> by_likeness(const std::vector<net::FlowRule>& rules) {
  std::map<Likeness, Places> groups;
  for (const net::FlowRule& rule : rules) {
    std::vector<std::optional<net::PortRange>> ports(rule.ports.begin(), rule.ports.end());
    if (ports.empty()) ports.emplace_back();
    for (const auto& range : ports) {
      Places& places = groups[{rule.protocol, range}];
      if (rule.target == net::FlowRule::Target::Any) places.any = true;
      for (const net::Prefix& prefix : rule.prefixes()) places.prefixes.push_back(prefix);
    }
  }
  return groups;
}

std::vector<Protocol> icmp_of(std::optional<net::Family> family) {
  if (!family) return {Protocol::Icmp, Protocol::Icmp6};
  return {*family == net::Family::V4 ? Protocol::Icmp : Protocol::Icmp6};
}

void append_protocol(const Likeness& likeness, std::optional<net::Family> family,
                     std::vector<Term>& terms) {
  const auto& [protocol, ports] = likeness;
  if (protocol == net::FlowProtocol::Any) return;
  if (protocol == net::FlowProtocol::Icmp) {
    terms.emplace_back(ProtocolIn{icmp_of(family)});
    return;
  }
  const Protocol number = protocol == net::FlowProtocol::Tcp ? Protocol::Tcp : Protocol::Udp;
  if (ports) {
    terms.emplace_back(to_port(number, {ports->first, ports->last}));
  } else {
    terms.emplace_back(ProtocolIn{{number}});
  }
}

// `place` says what the addresses of the rules are.
void append_matches(const std::vector<net::FlowRule>& rules,
                    ConnAddressIn (*place)(std::vector<net::Prefix>), const Term& verdict,
                    Chain& chain) {
  for (const auto& [likeness, places] : by_likeness(rules)) {
    const auto add = [&](std::optional<net::Family> family, std::vector<Term> terms) {
      append_protocol(likeness, family, terms);
      terms.push_back(verdict);
      chain.rules.push_back({.terms = std::move(terms)});
    };
    if (places.any) {
      add(std::nullopt, {});
      continue;
    }
    const auto prefixes = nft::normalized(places.prefixes);
    for (const net::Family family : kFamilies) {
      std::vector<net::Prefix> alike;
      std::ranges::copy_if(prefixes, std::back_inserter(alike),
                           [&](const net::Prefix& p) { return p.family() == family; });
      if (!alike.empty()) add(family, {place(std::move(alike))});
    }
  }
}

Chain rules_chain(std::string name, const net::FlowRules& rules) {
  Chain chain{.name = std::move(name)};
  const Goto refuse{std::string(kRefuseChain)};
  append_matches(rules.deny, &to, refuse, chain);
  if (!rules.allow) return chain;
  append_matches(*rules.allow, &to, Return{}, chain);
  chain.rules.push_back({.terms = {refuse}});
  return chain;
}

// Errors about a connection, which say "too large", are not of its protocol.
Rule error_about_connection(Term verdict) {
  return {
      .terms = {ProtocolIn{icmp_of(std::nullopt)}, ConnStateIn{nft::kRelated}, std::move(verdict)}};
}

// Who opened it hears of it at once; who only answers is not told.
Chain refuse_chain() {
  return {.name = std::string(kRefuseChain),
          .rules = {{.terms = {ConnWayIs{ConnWay::Original}, Counter{},
                               nft::Reject{nft::RejectWith::AdminProhibited}}},
                    {.terms = {Counter{}, nft::Drop{}}}}};
}

// A chain for each list of rules that there is, and maps that lead clients to theirs.
class ClientChains {
 public:
  explicit ClientChains(const std::vector<ClientRules>& clients) {
    for (const ClientRules& client : clients) {
      const std::string& chain = chain_for(client.rules);
      for (const net::Prefix& source : nft::normalized(client.sources)) {
        auto& map = source.family() == net::Family::V4 ? map4_ : map6_;
        map.jumps.emplace_back(source, chain);
      }
    }
  }

  void append_to(Chain& entry, nft::Table& table) {
    for (nft::VerdictMap* map : {&map4_, &map6_}) {
      if (map->jumps.empty()) continue;
      entry.rules.push_back(
          {.terms = {nft::ConnAddressMap{.family = map->family, .map = map->name}}});
      table.maps.push_back(std::move(*map));
    }
    for (Chain& chain : chains_) table.chains.push_back(std::move(chain));
  }

 private:
  const std::string& chain_for(const net::FlowRules& rules) {
    std::string text;
    for (const net::FlowRule& rule : rules.deny) text += rule.to_string() + "\n";
    if (rules.allow) text += "allow\n";
    for (const net::FlowRule& rule : rules.allow.value_or(std::vector<net::FlowRule>())) {
      text += rule.to_string() + "\n";
    }
    const auto [known, is_new] = names_.try_emplace(std::move(text));
    if (is_new) {
      known->second = fmt::format("clients_{}", names_.size());
      chains_.push_back(rules_chain(known->second, rules));
    }
    return known->second;
  }

  std::map<std::string, std::string> names_;  // By the text of the rules.
  std::vector<Chain> chains_;
  nft::VerdictMap map4_{.name = "clients4", .family = net::Family::V4};
  nft::VerdictMap map6_{.name = "clients6", .family = net::Family::V6};
};

}  // namespace

nft::Chain admission_chain(const std::vector<net::FlowRule>& admitted) {
  Chain chain{.name = std::string(kAdmissionChain)};
  chain.rules.push_back(error_about_connection(nft::Accept{}));
  append_matches(admitted, &by, nft::Accept{}, chain);
  chain.rules.push_back({.terms = {Counter{}, nft::Drop{}}});
  return chain;
}

void append_client_firewall(const ClientFirewall& firewall, nft::Table& table) {
  Chain entry{.name = std::string(kClientChain)};
  entry.rules.push_back(error_about_connection(Return{}));
  for (const net::Address& address : firewall.dns) {
    for (const Protocol protocol : {Protocol::Udp, Protocol::Tcp}) {
      entry.rules.push_back(
          {.terms = {to({net::Prefix::host(address)}),
                     to_port(protocol, nft::PortRange::one(kDnsPort)), Return{}}});
    }
  }
  if (!firewall.everyone.is_empty()) {
    entry.rules.push_back({.terms = {Jump{std::string(kEveryoneChain)}}});
  }
  table.chains.push_back(refuse_chain());
  if (!firewall.everyone.is_empty()) {
    table.chains.push_back(rules_chain(std::string(kEveryoneChain), firewall.everyone));
  }
  ClientChains(firewall.clients).append_to(entry, table);
  table.chains.push_back(std::move(entry));
}

}  // namespace ginnel::hostnet

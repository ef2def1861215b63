#include "core/hostnet/nft_print.h"

#include <fmt/format.h>

#include "base/check.h"
#include "core/hostnet/nft_members.h"

namespace ginnel::hostnet::nft {
namespace {

std::string_view negation(Is is) { return is == Is::Yes ? "" : "!= "; }
std::string_view side_name(Side side, std::string_view source, std::string_view destination) {
  return side == Side::Source ? source : destination;
}
std::string_view mark_name(MarkOf of) { return of == MarkOf::Packet ? "meta mark" : "ct mark"; }
std::string_view family_name(net::Family family) {
  return family == net::Family::V4 ? "ip" : "ip6";
}

std::string_view protocol_name(Protocol protocol) {
  switch (protocol) {
    case Protocol::Icmp:
      return "icmp";
    case Protocol::Tcp:
      return "tcp";
    case Protocol::Udp:
      return "udp";
    case Protocol::Icmp6:
      return "ipv6-icmp";
  }
  std::unreachable();
}

std::string_view type_name(AddressType type) {
  switch (type) {
    case AddressType::Unicast:
      return "unicast";
    case AddressType::Local:
      return "local";
    case AddressType::Broadcast:
      return "broadcast";
    case AddressType::Multicast:
      return "multicast";
  }
  std::unreachable();
}

std::string print_port(PortRange range) {
  return range.first == range.last ? fmt::format("{}", range.first)
                                   : fmt::format("{}-{}", range.first, range.last);
}

// One member stands alone, several in braces, as nft_lower.h compares or looks up.
template <class T, class Print>
std::string print_list(const std::vector<T>& members, Print&& print_one) {
  if (members.size() == 1) return print_one(members.front());
  std::string text = "{ ";
  for (const T& member : members) {
    if (text.size() > 2) text += ", ";
    text += print_one(member);
  }
  return text + " }";
}

std::string print_states(std::uint8_t states) {
  constexpr std::pair<ConnState, std::string_view> kNames[] = {{kInvalid, "invalid"},
                                                               {kEstablished, "established"},
                                                               {kRelated, "related"},
                                                               {kNew, "new"},
                                                               {kUntracked, "untracked"}};
  std::string text;
  for (const auto& [bit, name] : kNames) {
    if (!(states & bit)) continue;
    if (!text.empty()) text += ',';
    text += name;
  }
  return text;
}

std::string print_prefix(const net::Prefix& prefix) {
  return prefix.is_host() ? prefix.address().to_string() : prefix.to_string();
}
std::string_view way_name(ConnWay way) { return way == ConnWay::Reply ? "reply" : "original"; }
std::string print_masquerade(const Masquerade& s) {
  std::string text = "masquerade";
  if (s.ports) text += " to :" + print_port(*s.ports);
  if (s.random) text += " fully-random";
  return text;
}
std::string conn_address(ConnWay way, net::Family family, Side side) {
  return fmt::format("ct {} {} {}", way_name(way), family_name(family),
                     side_name(side, "saddr", "daddr"));
}

struct Printer {
  std::string operator()(const InterfaceIs& m) const {
    return fmt::format("{} {}{}", m.direction == Direction::In ? "iifname" : "oifname",
                       negation(m.is), print_list(normalized(m.names), quoted));
  }
  std::string operator()(const AddressIn& m) const {
    const auto prefixes = normalized(m.prefixes);
    const net::Family family = prefixes.front().family();
    return fmt::format("{} {} {}{}", family_name(family), side_name(m.side, "saddr", "daddr"),
                       negation(m.is), print_list(prefixes, print_prefix));
  }
  std::string operator()(const AddressInSet& m) const {
    return fmt::format("{} {} @{}", family_name(m.family), side_name(m.side, "saddr", "daddr"),
                       m.set);
  }
  std::string operator()(const FamilyIs& m) const {
    return fmt::format("meta nfproto {}", m.family == net::Family::V4 ? "ipv4" : "ipv6");
  }
  std::string operator()(const EtherTypeIs&) const { return "meta protocol arp"; }
  std::string operator()(const ProtocolIn& m) const {
    return fmt::format("meta l4proto {}", print_list(normalized(m.protocols), protocol_name_of));
  }
  std::string operator()(const PortIn& m) const {
    return fmt::format("{} {} {}{}", protocol_name(m.protocol), side_name(m.side, "sport", "dport"),
                       negation(m.is), print_list(normalized(m.ports), print_port));
  }
  std::string operator()(const MarkIs& m) const {
    if (m.mask == 0xffffffff) {
      return fmt::format("{} {}{:#010x}", mark_name(m.of), negation(m.is), m.value);
    }
    return fmt::format("{} & {:#010x} {} {:#010x}", mark_name(m.of), m.mask,
                       m.is == Is::Yes ? "==" : "!=", m.value);
  }
  std::string operator()(const ConnStateIn& m) const {
    return "ct state " + print_states(m.states);
  }
  std::string operator()(const ConnWayIs& m) const {
    return fmt::format("ct direction {}", way_name(m.way));
  }
  std::string operator()(const ConnAddressIn& m) const {
    const auto prefixes = normalized(m.prefixes);
    return fmt::format("{} {}", conn_address(m.way, prefixes.front().family(), m.side),
                       print_list(prefixes, print_prefix));
  }
  std::string operator()(const ConnPortIn& m) const {
    return fmt::format("meta l4proto {} ct {} {} {}", protocol_name(m.protocol), way_name(m.way),
                       side_name(m.side, "proto-src", "proto-dst"), print_port(m.ports));
  }
  std::string operator()(const SourceTranslated& m) const {
    return fmt::format("ct status & snat {} 0", m.is == Is::Yes ? "!=" : "==");
  }
  std::string operator()(const ArpTargetIn& m) const {
    return "arp daddr ip " + print_prefix(m.prefix);
  }
  std::string operator()(const ConnAddressMap& m) const {
    return fmt::format("{} vmap @{}", conn_address(m.way, m.family, m.side), m.map);
  }
  std::string operator()(const AddressTypeIs& m) const {
    return fmt::format("fib {} type {}{}", side_name(m.side, "saddr", "daddr"), negation(m.is),
                       type_name(m.type));
  }
  std::string operator()(const ReversePathMissing&) const { return "fib saddr . iif oif missing"; }
  std::string operator()(const IcmpTypeIn& m) const {
    return fmt::format(
        "{} type {}", m.family == net::Family::V4 ? "icmp" : "icmpv6",
        print_list(normalized(m.types), [](std::uint8_t t) { return fmt::format("{}", t); }));
  }
  std::string operator()(const HopLimitIs& m) const {
    return fmt::format("ip6 hoplimit {}", m.value);
  }
  std::string operator()(const SocketUserIs& m) const {
    return fmt::format("meta skuid {}{}", negation(m.is), m.user);
  }
  std::string operator()(const SocketCgroupIs& m) const {
    return fmt::format("socket cgroupv2 level {} {}", m.level(), quoted(m.path));
  }
  std::string operator()(const LaterFragment& m) const {
    return m.family == net::Family::V4 ? "ip frag-off & 0x1fff != 0" : "frag frag-off != 0";
  }
  std::string operator()(const TcpSyn&) const { return "tcp flags syn / syn,rst"; }
  std::string operator()(const Counter&) const { return "counter"; }
  std::string operator()(const Log& s) const {
    return s.prefix.empty() ? std::string("log") : "log prefix " + quoted(s.prefix);
  }
  std::string operator()(const SetMark& s) const {
    const std::string_view mark = mark_name(s.of);
    if (s.mask == 0xffffffff) return fmt::format("{} set {:#010x}", mark, s.value);
    return fmt::format("{} set {} & {:#010x} | {:#010x}", mark, mark, ~s.mask, s.value & s.mask);
  }
  std::string operator()(const CopyMark& s) const {
    const MarkOf from = s.to == MarkOf::Packet ? MarkOf::Connection : MarkOf::Packet;
    std::string text = fmt::format("{} set {}", mark_name(s.to), mark_name(from));
    if (s.mask != 0xffffffff) text += fmt::format(" & {:#010x}", s.mask);
    return text;
  }
  std::string operator()(const ClampMss&) const { return "tcp option maxseg size set rt mtu"; }
  std::string operator()(const NoTrack&) const { return "notrack"; }
  std::string operator()(const Masquerade& s) const { return print_masquerade(s); }
  std::string operator()(const SourceNat& s) const {
    return fmt::format("snat {} to {}", family_name(s.to.family()), s.to.to_string());
  }
  std::string operator()(const Accept&) const { return "accept"; }
  std::string operator()(const Drop&) const { return "drop"; }
  std::string operator()(const Return&) const { return "return"; }
  std::string operator()(const Reject& s) const {
    return s.with == RejectWith::PortUnreachable ? "reject" : "reject with icmpx admin-prohibited";
  }
  std::string operator()(const Jump& s) const { return "jump " + s.chain; }
  std::string operator()(const Goto& s) const { return "goto " + s.chain; }

  static std::string protocol_name_of(Protocol protocol) {
    return std::string(protocol_name(protocol));
  }
};

std::string print(const VerdictMap& map) {
  std::string text = fmt::format("  map {} {{\n    type {}_addr : verdict;\n", map.name,
                                 map.family == net::Family::V4 ? "ipv4" : "ipv6");
  if (needs_intervals(map)) text += "    flags interval;\n";
  std::string elements;
  for (const auto& [prefix, chain] : map.jumps) {
    if (!elements.empty()) elements += ", ";
    elements += fmt::format("{} : jump {}", print_prefix(prefix), chain);
  }
  if (!elements.empty()) text += fmt::format("    elements = {{ {} }}\n", elements);
  return text + "  }\n";
}

std::string print(const FadingSet& set) {
  std::string text =
      fmt::format("  set {} {{\n    type {}_addr;\n    timeout {}s;\n", set.name,
                  set.family == net::Family::V4 ? "ipv4" : "ipv6", set.lifetime.count());
  std::string elements;
  for (const net::Address& address : set.addresses) {
    if (!elements.empty()) elements += ", ";
    elements += address.to_string();
  }
  if (!elements.empty()) text += fmt::format("    elements = {{ {} }}\n", elements);
  return text + "  }\n";
}

std::string print(const Chain& chain) {
  std::string text = fmt::format("  chain {} {{\n", chain.name);
  if (chain.base) {
    const Base& base = *chain.base;
    text += fmt::format("    type {} hook {}", name_of(base.type), name_of(base.hook));
    if (!base.device.empty()) text += fmt::format(" device {}", quoted(base.device));
    text += fmt::format(" priority {}; policy {};\n", base.priority,
                        base.policy == Policy::Accept ? "accept" : "drop");
  }
  for (const Rule& rule : chain.rules) text += fmt::format("    {}\n", print(rule));
  return text + "  }\n";
}

}  // namespace

std::string_view name_of(Family family) {
  switch (family) {
    case Family::Ip:
      return "ip";
    case Family::Ip6:
      return "ip6";
    case Family::Inet:
      return "inet";
    case Family::Arp:
      return "arp";
    case Family::Bridge:
      return "bridge";
    case Family::Netdev:
      return "netdev";
  }
  std::unreachable();
}

std::string_view name_of(Hook hook) {
  switch (hook) {
    case Hook::Prerouting:
      return "prerouting";
    case Hook::Input:
      return "input";
    case Hook::Forward:
      return "forward";
    case Hook::Output:
      return "output";
    case Hook::Postrouting:
      return "postrouting";
    case Hook::Ingress:
      return "ingress";
    case Hook::Egress:
      return "egress";
  }
  std::unreachable();
}

std::string_view name_of(ChainType type) {
  switch (type) {
    case ChainType::Filter:
      return "filter";
    case ChainType::Nat:
      return "nat";
    case ChainType::Route:
      return "route";
  }
  std::unreachable();
}

std::string quoted(std::string_view text) {
  std::string result = "\"";
  for (char c : text) {
    if (c != '"' && c != '\\' && c >= ' ') result += c;
  }
  return result + '"';
}

std::string print(const Term& term) { return std::visit(Printer{}, term); }

std::string print(const Rule& rule) {
  std::string text;
  for (const Term& term : rule.terms) {
    if (!text.empty()) text += ' ';
    text += print(term);
  }
  if (!rule.comment.empty()) text += " comment " + quoted(rule.comment);
  return text;
}

std::string print(const Table& table) {
  std::string text = fmt::format("table {} {} {{\n", name_of(table.family), table.name);
  if (!table.comment.empty()) text += fmt::format("  comment {}\n", quoted(table.comment));
  for (const VerdictMap& map : table.maps) text += print(map);
  for (const FadingSet& set : table.fading) text += print(set);
  for (const Chain& chain : table.chains) text += print(chain);
  return text + "}\n";
}

}  // namespace ginnel::hostnet::nft

#include "core/hostnet/quick_network.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <functional>
#include <map>
#include <ranges>

#include "base/text.h"
#include "core/hostnet/uplink.h"

namespace ginnel::hostnet {
namespace {

constexpr std::uint32_t kMaxTablesTried = 4096;
constexpr std::uint32_t kUsualMtu = 1500;
constexpr std::uint32_t kSecondRule = 32766;  // The kernel's own rule for the main table.
constexpr std::string_view kValidMark = "net/ipv4/conf/all/src_valid_mark";
constexpr net::Family kFamilies[] = {net::Family::V4, net::Family::V6};

std::optional<std::uint32_t> table_number(std::string_view text) {
  const auto number = parse_c_number(text, 0);
  return number && *number <= UINT32_MAX ? std::optional(static_cast<std::uint32_t>(*number))
                                         : std::nullopt;
}

bool is_free(const HostState& host, const QuickTunnel& tunnel, std::uint32_t table) {
  return std::ranges::none_of(host.routes, [&](const Route& route) {
    return route.table == table && route.interface != tunnel.interface;
  });
}

Result<std::uint32_t> choose_table(const HostState& host, const QuickTunnel& tunnel) {
  if (tunnel.fwmark != 0) return tunnel.fwmark;
  for (const RoutingRule& rule : tunnel.former_rules) {
    if (rule.inverted && is_free(host, tunnel, rule.table)) return rule.table;
  }
  for (std::uint32_t n = 0; n < kMaxTablesTried; ++n) {
    if (is_free(host, tunnel, kFirstQuickTable + n)) return kFirstQuickTable + n;
  }
  return fail(
      ErrorCode::Exhausted,
      fmt::format("interface {}: the routing tables {} to {} are all in use; choose a free "
                  "one with FwMark",
                  tunnel.interface, kFirstQuickTable, kFirstQuickTable + kMaxTablesTried - 1));
}

// Where the kernel would put a rule that names no priority: in front of all but the first.
std::uint32_t next_priority(const std::vector<RoutingRule>& rules, net::Family family) {
  std::size_t seen = 0;
  for (const RoutingRule& rule : rules) {
    if (rule.family == family && ++seen == 2) return rule.priority == 0 ? 0 : rule.priority - 1;
  }
  return kSecondRule - 1;
}

// The rule as it was made before, whose priority it keeps; else with the next one that is free.
RoutingRule placed(RoutingRule rule, const QuickTunnel& tunnel, std::uint32_t& priority) {
  for (const RoutingRule& former : tunnel.former_rules) {
    rule.priority = former.priority;
    if (rule == former) return rule;
  }
  rule.priority = priority;
  if (priority != 0) --priority;
  return rule;
}

// All but the tunnel's own datagrams look into `table`, unless the main table knows a way that is
// no default route.
void add_rules(const HostState& host, const QuickTunnel& tunnel, net::Family family,
               std::uint32_t table, std::vector<RoutingRule>& rules) {
  std::vector<RoutingRule> others;
  std::ranges::copy_if(host.rules, std::back_inserter(others), [&](const RoutingRule& rule) {
    return std::ranges::find(tunnel.former_rules, rule) == tunnel.former_rules.end();
  });
  std::uint32_t priority = next_priority(others, family);
  rules.push_back(placed({.family = family,
                          .mark = table,
                          .mark_mask = UINT32_MAX,
                          .inverted = true,
                          .table = table,
                          .origin = RouteOrigin::Unspecified},
                         tunnel, priority));
  rules.push_back(placed({.family = family,
                          .table = kMainTable,
                          .suppress_prefix_length = 0,
                          .origin = RouteOrigin::Unspecified},
                         tunnel, priority));
}

// What the interface can reach without a route of ours: by its addresses, or by routes of the main
// table that somebody else made.
std::vector<net::Prefix> reached_already(const HostState& host, const QuickTunnel& tunnel) {
  std::vector<net::Prefix> reached;
  for (const net::InterfaceAddress& address : tunnel.addresses) {
    // A single IPv4 address brings no route into the main table.
    if (!address.address.is_v4() || address.length < 32) reached.push_back(address.subnet());
  }
  for (const Route& route : host.routes) {
    if (route.interface != tunnel.interface || route.table != kMainTable) continue;
    const bool is_former = std::ranges::any_of(tunnel.former.routes, [&](const Route& former) {
      return former.destination == route.destination && former.table == route.table;
    });
    const bool goes = std::ranges::any_of(tunnel.former.addresses, [&](const auto& former) {
      return former.subnet() == route.destination;
    });
    if (!is_former && !goes) reached.push_back(route.destination);
  }
  return reached;
}

// `marked` are the rules that send unmarked packets to a tunnel's table: one for each family that
// it takes.
nft::Chain own_addresses_guard(const Owner& owner,
                               const std::vector<net::InterfaceAddress>& addresses,
                               const std::vector<RoutingRule>& marked) {
  nft::Chain chain{.name = "preraw",
                   .base = nft::Base{.hook = nft::Hook::Prerouting, .priority = nft::kPriorityRaw}};
  for (const RoutingRule& rule : marked) {
    std::vector<net::Prefix> own;
    for (const net::InterfaceAddress& address : addresses) {
      const net::Prefix host = net::Prefix::host(address.address);
      if (host.family() == rule.family && std::ranges::find(own, host) == own.end()) {
        own.push_back(host);
      }
    }
    if (own.empty()) continue;
    chain.rules.push_back(
        {.terms = {
             nft::InterfaceIs{.names = {owner.interface}, .is = nft::Is::No},
             nft::AddressIn{.side = nft::Side::Destination, .prefixes = std::move(own)},
             nft::AddressTypeIs{
                 .side = nft::Side::Source, .type = nft::AddressType::Local, .is = nft::Is::No},
             nft::Drop{}}});
  }
  return chain;
}

// The kernel checks whether an answer comes in where its question went out. Answers to our
// datagrams therefore get the mark back that those carried: theirs only, by the connection, so that
// nobody else's marks are touched and a peer may roam.
std::vector<nft::Table> tables_of(const Owner& owner,
                                  const std::vector<net::InterfaceAddress>& addresses,
                                  const std::vector<RoutingRule>& rules) {
  std::vector<RoutingRule> marked;
  std::ranges::copy_if(rules, std::back_inserter(marked), &RoutingRule::inverted);
  if (marked.empty()) return {};
  const std::uint32_t mark = marked.front().mark;
  const nft::ProtocolIn udp{.protocols = {nft::Protocol::Udp}};
  const nft::Chain restore{
      .name = "premangle",
      .base = nft::Base{.hook = nft::Hook::Prerouting, .priority = nft::kPriorityMangle},
      .rules = {{.terms = {udp, nft::MarkIs{.of = nft::MarkOf::Connection, .value = mark},
                           nft::SetMark{.of = nft::MarkOf::Packet, .value = mark}}}}};
  const nft::Chain save{
      .name = "postmangle",
      .base = nft::Base{.hook = nft::Hook::Postrouting, .priority = nft::kPriorityMangle},
      .rules = {{.terms = {udp, nft::MarkIs{.of = nft::MarkOf::Packet, .value = mark},
                           nft::SetMark{.of = nft::MarkOf::Connection, .value = mark}}}}};
  return {{.family = nft::Family::Inet,
           .name = owner.table_name(),
           .comment = owner.mark(),
           .chains = {own_addresses_guard(owner, addresses, marked), restore, save}}};
}

// A family whose every address is the tunnel's.
struct Taken {
  net::Family family = net::Family::V4;
  bool by_one_prefix = false;  // 0.0.0.0/0 or ::/0, not by halves of it.
};

std::vector<Taken> taken_families(const QuickTunnel& tunnel) {
  std::vector<Taken> taken;
  if (tunnel.routes != QuickRoutes::Automatic) return taken;
  for (net::Family family : kFamilies) {
    if (!takes_everything(tunnel.allowed_ips, family)) continue;
    const auto whole = net::Prefix::masking(net::Address::any(family), 0);
    const auto found = std::ranges::find(tunnel.allowed_ips, whole);
    taken.push_back({.family = family, .by_one_prefix = found != tunnel.allowed_ips.end()});
  }
  return taken;
}

// The table of the route to `prefix`. Halves of everything have to stand in the own table: in the
// main one they would carry off the tunnel's own datagrams.
std::uint32_t table_of(const net::Prefix& prefix, const std::vector<Taken>& taken,
                       std::uint32_t own_table) {
  const auto found = std::ranges::find(taken, prefix.family(), &Taken::family);
  if (found == taken.end()) return kMainTable;
  return prefix.length() == 0 || !found->by_one_prefix ? own_table : kMainTable;
}

std::vector<Route> routes_of(const HostState& host, const QuickTunnel& tunnel,
                             const std::vector<Taken>& taken, std::uint32_t own_table) {
  std::vector<Route> routes;
  if (tunnel.routes == QuickRoutes::None) return routes;
  const std::vector<net::Prefix> reached = reached_already(host, tunnel);
  for (const net::Prefix& prefix : tunnel.allowed_ips) {
    const bool in_table = tunnel.routes == QuickRoutes::InTable;
    const std::uint32_t table = in_table ? tunnel.table : table_of(prefix, taken, own_table);
    const bool is_reached = std::ranges::any_of(
        reached, [&](const net::Prefix& other) { return other.contains(prefix); });
    if (!in_table && table == kMainTable && is_reached) continue;
    routes.push_back({.destination = prefix,
                      .interface = tunnel.interface,
                      .table = table,
                      .origin = RouteOrigin::Boot});
  }
  // Not std::stable_sort(): clang refuses what libstdc++ 12 makes it of.
  std::multimap<unsigned, Route, std::greater<>> longest_first;
  for (Route& route : routes) {
    longest_first.emplace(route.destination.length(), std::move(route));
  }
  std::ranges::copy(longest_first | std::views::values, routes.begin());
  return routes;
}

// Answers to marked datagrams of IPv4 are checked by the way that the mark has.
std::vector<Sysctl> settings_of(const std::vector<RoutingRule>& rules) {
  const bool marks_v4 = std::ranges::any_of(rules, [](const RoutingRule& rule) {
    return rule.inverted && rule.family == net::Family::V4;
  });
  if (!marks_v4) return {};
  return {{.path = std::string(kValidMark), .value = "1"}};
}

// What a person would want to know.
void note_families(const HostState& host, const QuickTunnel& tunnel,
                   const std::vector<Taken>& taken, QuickWishes& wishes) {
  const auto takes = [&](net::Family family) {
    return std::ranges::find(taken, family, &Taken::family) != taken.end();
  };
  if (takes(net::Family::V4) && !takes(net::Family::V6) &&
      find_uplink(host, net::Family::V6, tunnel.interface)) {
    wishes.warnings.push_back(
        fmt::format("{}: IPv6 goes around this tunnel, which takes IPv4 only; add ::/0 to "
                    "AllowedIPs to send it in as well",
                    tunnel.interface));
  }
}

// As stock wg-quick has it, the route stands all the same: somebody may yet add one to the
// endpoint.
void note_own_endpoints(const HostState& host, const QuickTunnel& tunnel, QuickWishes& wishes) {
  const std::vector<Route>& routes = wishes.host.network.interfaces.front().routes;
  for (const OwnEndpoint& own : tunnel.own_endpoints) {
    const bool is_routed = std::ranges::any_of(routes, [&](const Route& route) {
      return route.table == kMainTable && route.destination == own.allowed;
    });
    const bool has_other_way = std::ranges::any_of(host.routes, [&](const Route& route) {
      return route.table == kMainTable && route.interface != tunnel.interface &&
             route.destination.length() > own.allowed.length() &&
             route.destination.contains(own.endpoint);
    });
    if (!is_routed || has_other_way) continue;
    wishes.warnings.push_back(
        fmt::format("{}: AllowedIPs {} holds the peer's own Endpoint {}: what is for the peer goes "
                    "into the tunnel and never arrives; leave that address out of it",
                    tunnel.interface, own.allowed.to_string(), own.endpoint.to_string()));
  }
}

}  // namespace

bool takes_everything(const std::vector<net::Prefix>& prefixes, net::Family family) {
  std::vector<net::Prefix> sorted;
  std::ranges::copy_if(prefixes, std::back_inserter(sorted),
                       [&](const net::Prefix& prefix) { return prefix.family() == family; });
  std::ranges::sort(sorted, {}, [](const net::Prefix& prefix) { return prefix.address(); });
  const net::Address first = net::Address::any(family);
  net::Address next = first;  // All before it are taken.
  for (const net::Prefix& prefix : sorted) {
    if (prefix.address() > next) return false;
    const net::Address behind = prefix.last().plus(1);
    if (behind == first) return true;
    next = std::max(next, behind);
  }
  return false;
}

Result<QuickWishes> quick_wishes(const HostState& host, const QuickTunnel& tunnel) {
  QuickWishes wishes{.fwmark = tunnel.fwmark};
  const std::vector<Taken> taken = taken_families(tunnel);
  std::uint32_t own_table = 0;
  if (!taken.empty()) {
    const auto table = choose_table(host, tunnel);
    if (!table) return std::unexpected(table.error());
    own_table = wishes.fwmark = *table;
  }
  for (const Taken& family : taken) {
    add_rules(host, tunnel, family.family, own_table, wishes.host.network.rules);
  }
  wishes.host.network.former_rules = tunnel.former_rules;
  wishes.host.tables = tables_of(tunnel.owner(), tunnel.addresses, wishes.host.network.rules);
  wishes.host.network.interfaces.push_back({.name = tunnel.interface,
                                            .mtu = tunnel.mtu,
                                            .addresses = tunnel.addresses,
                                            .routes = routes_of(host, tunnel, taken, own_table),
                                            .former = tunnel.former});
  wishes.host.sysctls = settings_of(wishes.host.network.rules);
  note_families(host, tunnel, taken, wishes);
  note_own_endpoints(host, tunnel, wishes);
  return wishes;
}

std::vector<nft::Table> standing_tables(const StandingRecord& record) {
  return tables_of(record.owner, record.interface.addresses, record.rules);
}

std::vector<Sysctl> standing_settings(const StandingRecord& record) {
  return settings_of(record.rules);
}

std::uint32_t automatic_mtu(const std::vector<std::uint32_t>& path_mtus) {
  const auto least = std::ranges::min_element(path_mtus);
  const std::uint32_t path = least == path_mtus.end() ? kUsualMtu : *least;
  const std::uint32_t inner = path > kTunnelOverhead ? path - kTunnelOverhead : 0;
  return std::clamp(inner, kMinAutomaticMtu, kMaxAutomaticMtu);
}

std::optional<std::uint32_t> find_table(std::string_view name, std::string_view rt_tables) {
  static constexpr std::pair<std::string_view, std::uint32_t> kWellKnown[] = {
      {"default", 253}, {"main", kMainTable}, {"local", kLocalTable}};
  for (const auto& [known, number] : kWellKnown) {
    if (known == name) return number;
  }
  for (std::string_view line : split(rt_tables, '\n')) {
    line = trim(line.substr(0, line.find('#')));
    const std::size_t gap = line.find_first_of(" \t");
    if (gap == std::string_view::npos || trim(line.substr(gap)) != name) continue;
    if (const auto number = table_number(line.substr(0, gap))) return number;
  }
  return table_number(name);
}

}  // namespace ginnel::hostnet

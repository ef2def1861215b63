#include "core/hostnet/quick_network.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "core/hostnet/nft_lower.h"
#include "core/hostnet/nft_print.h"

namespace ginnel::hostnet {
namespace {

net::Prefix prefix(std::string_view text) { return net::Prefix::parse(text).value(); }
net::InterfaceAddress own(std::string_view text) {
  return net::InterfaceAddress::parse(text).value();
}
std::vector<net::Prefix> prefixes(const std::vector<std::string>& texts) {
  std::vector<net::Prefix> result;
  for (const std::string& text : texts) result.push_back(prefix(text));
  return result;
}

std::vector<RoutingRule> kernel_rules() {
  std::vector<RoutingRule> rules;
  for (net::Family family : {net::Family::V4, net::Family::V6}) {
    rules.push_back({.family = family, .priority = 0, .table = kLocalTable});
    rules.push_back({.family = family, .priority = 32766, .table = kMainTable});
  }
  rules.push_back({.family = net::Family::V4, .priority = 32767, .table = 253});
  return rules;
}

HostState host_with_uplink() {
  return {.links = {{.index = 2, .name = "eth0", .mtu = 1500, .up = true, .running = true},
                    {.index = 3, .name = "wg0", .kind = "tun", .mtu = 1420}},
          .routes = {{.destination = prefix("0.0.0.0/0"), .interface = "eth0"},
                     {.destination = prefix("::/0"), .interface = "eth0"}},
          .rules = kernel_rules()};
}

QuickTunnel tunnel_to(const std::vector<std::string>& allowed) {
  return {.interface = "wg0",
          .addresses = {own("10.0.0.2/24"), own("fd00::2/64")},
          .allowed_ips = prefixes(allowed),
          .mtu = 1420};
}

std::vector<std::string> routes_of(const QuickWishes& wishes) {
  std::vector<std::string> texts;
  for (const Route& route : wishes.host.network.interfaces.at(0).routes) {
    texts.push_back(route.to_string());
  }
  return texts;
}
std::vector<std::string> rules_of(const QuickWishes& wishes) {
  std::vector<std::string> texts;
  for (const RoutingRule& rule : wishes.host.network.rules) texts.push_back(rule.to_string());
  return texts;
}

TEST(QuickWishes, RoutesWhatTheFileSays) {
  using Texts = std::vector<std::string>;
  struct Row {
    std::string name;
    QuickTunnel tunnel;
    Texts routes;
    Texts rules;
  };
  const Texts v4_rules = {"32765: not from all fwmark 0xca6c lookup 51820",
                          "32764: from all lookup 254 suppress_prefixlength 0"};
  std::vector<Row> rows = {
      {"nothing", tunnel_to({}), {}, {}},
      {"longest first, and none that an address covers",
       tunnel_to({"10.0.0.0/24", "10.0.0.7/32", "10.0.0.0/8", "192.0.2.0/25", "fd00::/64"}),
       {"192.0.2.0/25 dev wg0", "10.0.0.0/8 dev wg0"},
       {}},
      {"everything", tunnel_to({"0.0.0.0/0"}), {"default dev wg0 table 51820"}, v4_rules},
      {"everything, and a part of it",
       tunnel_to({"10.0.0.0/8", "0.0.0.0/0"}),
       {"10.0.0.0/8 dev wg0", "default dev wg0 table 51820"},
       v4_rules},
      {"halves of everything, in the own table all of them",
       tunnel_to({"0.0.0.0/1", "128.0.0.0/1", "10.0.0.0/8"}),
       {"10.0.0.0/8 dev wg0 table 51820", "0.0.0.0/1 dev wg0 table 51820",
        "128.0.0.0/1 dev wg0 table 51820"},
       v4_rules},
      {"not quite everything",
       tunnel_to({"0.0.0.0/1", "128.0.0.0/2"}),
       {"128.0.0.0/2 dev wg0", "0.0.0.0/1 dev wg0"},
       {}},
  };
  Row off{"none", tunnel_to({"0.0.0.0/0", "10.0.0.0/8"}), {}, {}};
  off.tunnel.routes = QuickRoutes::None;
  rows.push_back(off);
  Row given{"a table", tunnel_to({"0.0.0.0/0", "10.0.0.0/24"}), {}, {}};
  given.tunnel.routes = QuickRoutes::InTable;
  given.tunnel.table = 1234;
  given.routes = {"10.0.0.0/24 dev wg0 table 1234", "default dev wg0 table 1234"};
  rows.push_back(given);
  Row marked{"a mark", tunnel_to({"0.0.0.0/0"}), {"default dev wg0 table 7"}, {}};
  marked.tunnel.fwmark = 7;
  marked.rules = {"32765: not from all fwmark 0x7 lookup 7", v4_rules[1]};
  rows.push_back(marked);
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    const auto wishes = quick_wishes(host_with_uplink(), row.tunnel);
    ASSERT_TRUE(wishes) << wishes.error().message;
    EXPECT_EQ(routes_of(*wishes), row.routes);
    EXPECT_EQ(rules_of(*wishes), row.rules);
    EXPECT_EQ(wishes->host.tables.empty(), row.rules.empty());
    EXPECT_EQ(wishes->host.sysctls.empty(), row.rules.empty());
  }
}

TEST(QuickWishes, TakesBothFamiliesWithOneMark) {
  const auto wishes = quick_wishes(host_with_uplink(), tunnel_to({"0.0.0.0/0", "::/0"}));
  ASSERT_TRUE(wishes);
  EXPECT_EQ(wishes->fwmark, 51820u);
  EXPECT_EQ(wishes->host.network.rules.size(), 4u);
  EXPECT_TRUE(wishes->warnings.empty());
}

TEST(QuickWishes, WarnsWhenIpv6GoesAround) {
  EXPECT_EQ(quick_wishes(host_with_uplink(), tunnel_to({"0.0.0.0/0"}))->warnings.size(), 1u);
  HostState v4_only = host_with_uplink();
  v4_only.routes.pop_back();
  EXPECT_TRUE(quick_wishes(v4_only, tunnel_to({"0.0.0.0/0"}))->warnings.empty());
}

TEST(QuickWishes, WarnsOfAPeerThatIsRoutedToItself) {
  const auto warnings = [](QuickTunnel tunnel, const HostState& host) {
    tunnel.own_endpoints = {{.allowed = tunnel.allowed_ips.front(),
                             .endpoint = net::Address::parse("198.51.100.7").value()}};
    return quick_wishes(host, tunnel)->warnings;
  };
  HostState host = host_with_uplink();
  const auto said = warnings(tunnel_to({"198.51.100.0/24"}), host);
  ASSERT_EQ(said.size(), 1u);
  EXPECT_EQ(said.front(),
            "wg0: AllowedIPs 198.51.100.0/24 holds the peer's own Endpoint 198.51.100.7: what is "
            "for the peer goes into the tunnel and never arrives; leave that address out of it");
  EXPECT_TRUE(warnings(tunnel_to({"0.0.0.0/0", "::/0"}), host).empty());
  QuickTunnel off = tunnel_to({"198.51.100.0/24"});
  off.routes = QuickRoutes::None;
  EXPECT_TRUE(warnings(off, host).empty());
  host.routes.push_back({.destination = net::Prefix::parse("198.51.100.7/32").value(),
                         .gateway = net::Address::parse("192.0.2.1").value(),
                         .interface = "eth0"});
  EXPECT_TRUE(warnings(tunnel_to({"198.51.100.0/24"}), host).empty());
}

TEST(QuickWishes, StandsBesideAnotherTunnelThatTakesEverything) {
  HostState host = host_with_uplink();
  host.routes.push_back({.destination = prefix("::/0"), .interface = "wg1", .table = 51820});
  host.rules.insert(host.rules.begin() + 1, {.priority = 32764, .table = kMainTable});
  const auto wishes = quick_wishes(host, tunnel_to({"0.0.0.0/0"}));
  ASSERT_TRUE(wishes);
  EXPECT_EQ(wishes->fwmark, 51821u);
  EXPECT_EQ(rules_of(*wishes).front(), "32763: not from all fwmark 0xca6d lookup 51821");
}

TEST(QuickWishes, KeepsTableAndPrioritiesWhenItIsMadeAgain) {
  HostState host = host_with_uplink();
  QuickTunnel tunnel = tunnel_to({"0.0.0.0/0"});
  const auto first = quick_wishes(host, tunnel);
  ASSERT_TRUE(first);
  host.rules.insert(host.rules.begin() + 1, first->host.network.rules.begin(),
                    first->host.network.rules.end());
  host.routes.insert(host.routes.end(), first->host.network.interfaces[0].routes.begin(),
                     first->host.network.interfaces[0].routes.end());
  tunnel.former = {tunnel.addresses, first->host.network.interfaces[0].routes};
  tunnel.former_rules = first->host.network.rules;
  const auto second = quick_wishes(host, tunnel);
  ASSERT_TRUE(second);
  EXPECT_EQ(second->host.network.rules, first->host.network.rules);
  EXPECT_EQ(second->host.network.interfaces[0].routes, first->host.network.interfaces[0].routes);
  EXPECT_EQ(second->fwmark, first->fwmark);
}

TEST(QuickWishes, SayWhenNoTableIsFree) {
  HostState host = host_with_uplink();
  for (std::uint32_t n = 0; n < 4096; ++n) {
    host.routes.push_back(
        {.destination = prefix("10.0.0.0/8"), .interface = "eth0", .table = kFirstQuickTable + n});
  }
  EXPECT_EQ(quick_wishes(host, tunnel_to({"0.0.0.0/0"})).error().code, ErrorCode::Exhausted);
  host.routes.pop_back();
  EXPECT_EQ(quick_wishes(host, tunnel_to({"0.0.0.0/0"}))->fwmark, kFirstQuickTable + 4095);
}

TEST(QuickWishes, TouchesNoMarkButItsOwn) {
  const auto wishes = quick_wishes(host_with_uplink(), tunnel_to({"0.0.0.0/0", "::/0"}));
  ASSERT_TRUE(wishes);
  const nft::Table& table = wishes->host.tables.at(0);
  const StandingRecord record{.owner = {.role = "up", .interface = "wg0"},
                              .interface = {.addresses = {own("10.0.0.2/24"), own("fd00::2/64")}},
                              .rules = wishes->host.network.rules};
  EXPECT_EQ(standing_tables(record), wishes->host.tables);
  EXPECT_EQ(table.comment, "ginnel:up:wg0");
  ASSERT_TRUE(nft::check_names(table));
  const std::string text = nft::print(table);
  EXPECT_NE(text.find("ip daddr 10.0.0.2"), std::string::npos) << text;
  EXPECT_NE(text.find("ip6 daddr fd00::2"), std::string::npos) << text;
  EXPECT_NE(text.find("ct mark 0x0000ca6c meta mark set 0x0000ca6c"), std::string::npos) << text;
  EXPECT_NE(text.find("meta mark 0x0000ca6c ct mark set 0x0000ca6c"), std::string::npos) << text;
}

TEST(TakesEverything, IsTrueOfAWholeFamilyOnly) {
  struct Row {
    std::vector<std::string> prefixes;
    bool v4;
    bool v6;
  };
  const Row rows[] = {
      {{}, false, false},
      {{"0.0.0.0/0"}, true, false},
      {{"::/0"}, false, true},
      {{"::/1", "8000::/1", "10.0.0.0/8"}, false, true},
      {{"128.0.0.0/1", "0.0.0.0/2", "64.0.0.0/2"}, true, false},
      {{"128.0.0.0/1", "0.0.0.0/2", "64.0.0.0/3"}, false, false},
      {{"0.0.0.0/1", "0.0.0.0/8", "128.0.0.0/1"}, true, false},
      {{"0.0.0.0/1", "128.0.0.0/2", "192.0.0.0/3", "224.0.0.0/4"}, false, false},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(fmt::format("{}", fmt::join(row.prefixes, " ")));
    EXPECT_EQ(takes_everything(prefixes(row.prefixes), net::Family::V4), row.v4);
    EXPECT_EQ(takes_everything(prefixes(row.prefixes), net::Family::V6), row.v6);
  }
}

TEST(AutomaticMtu, LeavesRoomOnTheNarrowestWay) {
  EXPECT_EQ(automatic_mtu({}), 1420u);
  EXPECT_EQ(automatic_mtu({9000}), 1420u);
  EXPECT_EQ(automatic_mtu({1500, 1492}), 1412u);
  EXPECT_EQ(automatic_mtu({100}), 576u);
  EXPECT_EQ(automatic_mtu({10}), 576u);
}

TEST(FindTable, KnowsNumbersAndNames) {
  constexpr std::string_view kTables = "# reserved\n255 local\n100\tvpn # mine\n0x10 hex\nbad\n";
  EXPECT_EQ(find_table("main", ""), 254u);
  EXPECT_EQ(find_table("vpn", kTables), 100u);
  EXPECT_EQ(find_table("hex", kTables), 16u);
  EXPECT_EQ(find_table("51820", kTables), 51820u);
  EXPECT_EQ(find_table("0x64", ""), 100u);
  EXPECT_EQ(find_table("+0144", ""), 100u);
  EXPECT_EQ(find_table("4294967296", ""), std::nullopt);
  EXPECT_EQ(find_table("OFF", kTables), std::nullopt);
  EXPECT_EQ(find_table("bad", kTables), std::nullopt);
}

}  // namespace
}  // namespace ginnel::hostnet

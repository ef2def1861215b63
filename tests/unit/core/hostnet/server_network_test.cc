#include "core/hostnet/server_network.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "core/hostnet/forwarding.h"
#include "core/hostnet/nft_lower.h"
#include "core/hostnet/nft_print.h"
#include "core/hostnet/outbound_routing.h"

namespace ginnel::hostnet {
namespace {

ServerNetwork dual_stack() {
  return {.interface = "wg0",
          .subnet4 = net::Prefix::parse("10.200.100.0/24").value(),
          .subnet6 = net::Prefix::parse("fd00:1:2:3::/64").value(),
          .uplink4 = "eth0",
          .uplink6 = "eth1",
          .listen_port = 51820};
}

std::string rules_of(const ServerNetwork& network, std::string_view chain) {
  const nft::Table table = server_table(network);
  std::string text;
  for (const nft::Chain& candidate : table.chains) {
    if (candidate.name != chain) continue;
    for (const nft::Rule& rule : candidate.rules) text += nft::print(rule) + "\n";
  }
  return text;
}

TEST(ServerTable, CarriesTheOwnersMark) {
  const nft::Table table = server_table(dual_stack());
  EXPECT_EQ(table.name, "ginnel-server-wg0");
  EXPECT_EQ(table.comment, "ginnel:server:wg0");
  EXPECT_TRUE(nft::check_names(table));
}

TEST(ServerTable, TranslatesWhateverLeavesByAnyWay) {
  EXPECT_EQ(rules_of(dual_stack(), "translate"),
            "iifname \"wg0\" oifname != { \"lo\", \"wg0\" } meta l4proto { tcp, udp } "
            "masquerade to :1024-51819 fully-random\n"
            "iifname \"wg0\" oifname != { \"lo\", \"wg0\" } masquerade fully-random\n"
            "oifname != { \"lo\", \"wg0\" } ip saddr 10.200.100.0/24 masquerade\n"
            "oifname != { \"lo\", \"wg0\" } ip6 saddr fd00:1:2:3::/64 masquerade\n");
  EXPECT_EQ(rules_of(dual_stack(), "untranslated"),
            "iifname \"wg0\" oifname != \"wg0\" ct direction original ct status & snat == 0 "
            "counter drop\n");
}

TEST(ServerTable, KeepsItsPortOutOfThoseOfTranslation) {
  struct Row {
    std::uint16_t listen, first, last;
  };
  const Row rows[] = {{51820, 1024, 51819},  {1024, 1025, 65535}, {1025, 1026, 65535},
                      {53, 1024, 65535},     {1, 1024, 65535},    {65535, 1024, 65534},
                      {33279, 33280, 65535}, {33281, 1024, 33280}};
  for (const Row& row : rows) {
    SCOPED_TRACE(row.listen);
    EXPECT_EQ(translated_ports(row.listen), (nft::PortRange{row.first, row.last}));
  }
}

TEST(ServerTable, DropsForgedSourcesAndProbesFromElsewhere) {
  EXPECT_EQ(rules_of(dual_stack(), "guard"),
            "iifname != { \"lo\", \"wg0\" } ip saddr 10.200.100.0/24 counter drop\n"
            "iifname != { \"lo\", \"wg0\" } ip daddr 10.200.100.0/24 counter drop\n"
            "iifname != { \"lo\", \"wg0\" } ip6 saddr fd00:1:2:3::/64 counter drop\n"
            "iifname != { \"lo\", \"wg0\" } ip6 daddr fd00:1:2:3::/64 counter drop\n"
            "udp dport 51820 fib daddr type local notrack accept\n");
  const nft::Table arp = server_arp_table(dual_stack());
  EXPECT_EQ(nft::print(arp.chains.at(0).rules.at(0)),
            "iifname != \"wg0\" arp daddr ip 10.200.100.0/24 counter drop");
}

TEST(ServerTable, DropsForgedSourcesOfNetworksBehindClients) {
  ServerNetwork network = dual_stack();
  network.routed = {net::Prefix::parse("192.168.77.0/24").value(),
                    net::Prefix::parse("fd77::/64").value()};
  const std::string guard = rules_of(network, "guard");
  for (const char* rule : {"iifname != { \"lo\", \"wg0\" } ip saddr 192.168.77.0/24 counter drop\n",
                           "iifname != { \"lo\", \"wg0\" } ip6 saddr fd77::/64 counter drop\n"}) {
    EXPECT_NE(guard.find(rule), std::string::npos) << guard;
  }
  // But for the server's own port: the client may itself be in its network.
  EXPECT_LT(guard.find("udp dport 51820"), guard.find("ip saddr 192.168.77.0/24"));
  EXPECT_GT(guard.find("udp dport 51820"), guard.find("ip saddr 10.200.100.0/24"));
  // As many as one rule takes, one less and one more.
  for (const std::size_t count :
       {nft::kMaxListLength - 1, nft::kMaxListLength, nft::kMaxListLength + 1}) {
    network.routed.clear();
    for (std::size_t i = 0; i < count; ++i) {
      network.routed.push_back(
          net::Prefix::parse(fmt::format("172.{}.{}.0/24", 16 + i / 256, i % 256)).value());
    }
    EXPECT_TRUE(nft::as_listed(server_table(network))) << count;
  }
}

TEST(ServerHost, RoutesNetworksBehindClientsIntoTheTunnel) {
  ServerNetwork network = dual_stack();
  network.routed = {net::Prefix::parse("192.168.77.0/24").value()};
  const WantedHost wanted = server_host(network, {}, {});
  ASSERT_EQ(wanted.network.interfaces.size(), 1u);
  ASSERT_EQ(wanted.network.interfaces[0].routes.size(), 1u);
  const Route& route = wanted.network.interfaces[0].routes[0];
  EXPECT_EQ(route.to_string(), "192.168.77.0/24 dev wg0");
  EXPECT_EQ(route.origin, RouteOrigin::Ginnel);
}

TEST(ServerTable, OpensItsPortAndKeepsItFromTheConnectionTracker) {
  EXPECT_EQ(rules_of(dual_stack(), "listen"), "udp dport 51820 counter accept\n");
  EXPECT_EQ(rules_of(dual_stack(), "answers"), "udp sport 51820 notrack\n");
  ServerNetwork bound = dual_stack();
  bound.listen_address = net::Address::parse("192.0.2.1").value();
  EXPECT_TRUE(
      rules_of(bound, "guard").ends_with("udp dport 51820 ip daddr 192.0.2.1 notrack accept\n"));
}

TEST(ServerTable, LetsClientsOutAndOnlyAnswersIn) {
  EXPECT_EQ(rules_of(dual_stack(), "forwarded"),
            "iifname \"wg0\" tcp flags syn / syn,rst tcp option maxseg size set rt mtu\n"
            "oifname \"wg0\" tcp flags syn / syn,rst tcp option maxseg size set rt mtu\n"
            "iifname \"wg0\" oifname \"wg0\" counter drop\n"
            "oifname \"wg0\" ct state established,related accept\n"
            "oifname \"wg0\" counter drop\n"
            "iifname \"wg0\" ct state invalid,untracked counter drop\n"
            "iifname \"wg0\" oifname \"eth0\" meta nfproto ipv4 accept\n"
            "iifname \"wg0\" oifname \"eth1\" meta nfproto ipv6 accept\n");
}

TEST(ServerTable, LetsClientsReachEachOtherOnlyWhenTold) {
  ServerNetwork network = dual_stack();
  network.client_to_client = true;
  EXPECT_NE(rules_of(network, "forwarded").find("iifname \"wg0\" oifname \"wg0\" accept\n"),
            std::string::npos);
}

TEST(ServerTable, KeepsItsRulesWithoutAnUplink) {
  ServerNetwork network = dual_stack();
  network.uplink4.clear();
  network.uplink6.clear();
  for (const char* chain : {"translate", "listen", "guard"}) {
    EXPECT_EQ(rules_of(network, chain), rules_of(dual_stack(), chain));
  }
  EXPECT_NE(rules_of(network, "forwarded").find("oifname \"wg0\" counter drop"), std::string::npos);
}

TEST(ServerTable, HoldsClientsToTheUplinkThatWasChosenForThem) {
  ServerNetwork network = dual_stack();
  network.only_uplink = true;
  network.uplink6.clear();
  const std::string rules = rules_of(network, "forwarded");
  EXPECT_TRUE(
      rules.ends_with("iifname \"wg0\" oifname \"eth0\" meta nfproto ipv4 accept\n"
                      "iifname \"wg0\" meta nfproto ipv4 counter drop\n"
                      "iifname \"wg0\" meta nfproto ipv6 counter drop\n"))
      << rules;
}

TEST(ServerHost, WantsItsInterfaceItsTableAndTheSettingsThatAreGiven) {
  ServerNetwork network = dual_stack();
  network.addresses = {net::InterfaceAddress::parse("10.200.100.1/24").value()};
  network.mtu = 1420;
  const WantedHost wanted =
      server_host(network, {}, {{.path = std::string(kForwarding4), .value = "1"}});
  ASSERT_EQ(wanted.network.interfaces.size(), 1u);
  EXPECT_EQ(wanted.network.interfaces[0],
            (WantedInterface{.name = "wg0", .mtu = 1420, .addresses = network.addresses}));
  ASSERT_EQ(wanted.tables.size(), 2u);
  EXPECT_EQ(wanted.tables[0], server_table(network));
  EXPECT_EQ(wanted.tables[1], server_arp_table(network));
  EXPECT_EQ(wanted.sysctls.size(), 1u);
  EXPECT_TRUE(wanted.network.rules.empty());
  EXPECT_TRUE(wanted.network.routes.empty());
}

TEST(ServerHost, LeadsClientsThroughTheInterfaceThatWasChosenForThem) {
  ServerNetwork network = dual_stack();
  network.only_uplink = true;
  const HostState current{.routes = {{.destination = net::Prefix::parse("0.0.0.0/0").value(),
                                      .gateway = net::Address::parse("198.51.100.1").value(),
                                      .interface = "eth0"}}};
  const WantedHost wanted = server_host(network, current, {});
  EXPECT_EQ(wanted.network.rules.size(), 4u);
  ASSERT_EQ(wanted.network.routes.size(), 1u);
  EXPECT_EQ(wanted.network.routes[0].table, outbound_table(network.listen_port));
}

TEST(ServerTable, DoesWithoutAFamily) {
  ServerNetwork network = dual_stack();
  network.subnet6.reset();
  for (const char* chain : {"translate", "guard"}) {
    EXPECT_EQ(rules_of(network, chain).find("ip6"), std::string::npos) << chain;
  }
  network.subnet4.reset();
  EXPECT_TRUE(server_arp_table(network).chains.empty());
}

}  // namespace
}  // namespace ginnel::hostnet

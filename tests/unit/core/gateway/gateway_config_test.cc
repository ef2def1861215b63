#include "core/gateway/gateway_config.h"

#include <gtest/gtest.h>

namespace ginnel::gateway {
namespace {

constexpr std::string_view kKey = "yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=";
constexpr std::string_view kPeerKey = "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=";

std::string interface_lines(std::string_view more = "") {
  return fmt::format("[Interface]\nPrivateKey = {}\nAddress = 10.2.0.2/32\nDNS = 10.2.0.1\n{}",
                     kKey, more);
}
std::string peer_lines(std::string_view more = "Endpoint = 192.0.2.1:51820\n",
                       std::string_view allowed = "0.0.0.0/0, ::/0") {
  return fmt::format("[Peer]\nPublicKey = {}\nAllowedIPs = {}\n{}", kPeerKey, allowed, more);
}
std::string usual() { return interface_lines() + peer_lines(); }

Result<GatewayConfig> make(const std::vector<std::string>& texts, GatewayFlags flags = {}) {
  if (flags.lan.empty()) flags.lan = {"eth1"};
  std::vector<GatewayFile> files;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const std::string path = fmt::format("p{}.conf", i);
    auto file = config::parse_quick_file(path, texts[i]);
    if (!file) return pass(std::move(file));
    files.push_back({path, fmt::format("p{}", i), std::move(*file)});
  }
  return make_gateway_config(std::move(files), flags);
}

std::string error_of(const Result<GatewayConfig>& config) {
  return config ? "accepted" : config.error().message;
}

TEST(GatewayConfig, TakesTheSeedsNumbersByDefault) {
  const auto config = make({usual()});
  ASSERT_TRUE(config) << error_of(config);
  EXPECT_EQ(config->mark, (TransportMark{0x8888, 0xffff}));
  EXPECT_EQ(config->table, 1000u);
  EXPECT_EQ(config->priorities, (RulePriorities{5, 10, 11}));
  EXPECT_EQ(config->lan, std::vector<std::string>{"eth1"});
  EXPECT_TRUE(config->kill_switch);
  EXPECT_FALSE(config->confirm_seconds);
  EXPECT_TRUE(config->warnings.empty());
  ASSERT_EQ(config->tunnels.size(), 1u);
  EXPECT_EQ(config->tunnels[0].dns, std::vector<net::Address>{*net::Address::parse("10.2.0.1")});
}

TEST(GatewayConfig, CarriesAFamilyThatHasAnAddressAndAllItsPrefixes) {
  struct Row {
    const char* addresses;
    const char* allowed;
    bool block_ipv6;
    bool ipv4;
    bool ipv6;
  };
  const Row rows[] = {
      {"10.2.0.2/32", "0.0.0.0/0, ::/0", false, true, false},
      {"10.2.0.2/32, fd00::2/128", "0.0.0.0/0, ::/0", false, true, true},
      {"10.2.0.2/32, fd00::2/128", "0.0.0.0/0, ::/0", true, true, false},
      {"10.2.0.2/32, fd00::2/128", "0.0.0.0/0", false, true, false},
      {"fd00::2/128", "0.0.0.0/0, ::/0", false, false, true},
      {"10.2.0.2/32", "0.0.0.0/1, 128.0.0.0/1", false, true, false},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(fmt::format("{} with {}", row.addresses, row.allowed));
    const std::string text =
        fmt::format("[Interface]\nPrivateKey = {}\nAddress = {}\n", kKey, row.addresses) +
        peer_lines("Endpoint = 192.0.2.1:51820\n", row.allowed);
    const auto config = make({text}, {.block_ipv6 = row.block_ipv6});
    ASSERT_TRUE(config) << error_of(config);
    EXPECT_EQ(config->tunnels[0].ipv4, row.ipv4);
    EXPECT_EQ(config->tunnels[0].ipv6, row.ipv6);
  }
}

TEST(GatewayConfig, RefusesFilesThatNoGatewayCanUse) {
  struct Row {
    std::string text;
    std::string_view error;
  };
  const Row rows[] = {
      {fmt::format("[Interface]\nAddress = 10.2.0.2/32\n") + peer_lines(),
       "p0.conf: [Interface] has no PrivateKey"},
      {fmt::format("[Interface]\nPrivateKey = {}\n", kKey) + peer_lines(),
       "p0.conf: [Interface] has no Address"},
      {interface_lines(), "p0.conf: [Peer] is missing"},
      {interface_lines() + peer_lines(""), "p0.conf:5: Endpoint is missing"},
      {interface_lines() + peer_lines("Endpoint = 192.0.2.1:51820\n", "10.0.0.0/8"),
       "p0.conf:5: AllowedIPs: "},
      {interface_lines() + peer_lines("Endpoint = 192.0.2.1:51820\n", "::/0"),
       "p0.conf:5: AllowedIPs: "},
      {usual() + fmt::format("[Peer]\nPublicKey = {}\n", kKey), "p0.conf:9: [Peer]: "},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.error);
    const auto config = make({row.text});
    EXPECT_TRUE(error_of(config).starts_with(row.error)) << error_of(config);
  }
}

TEST(GatewayConfig, WarnsOfLinesItDoesNotActOn) {
  const auto config = make({interface_lines("PostUp = true\nPreDown = true\nTable = 51\n"
                                            "FwMark = 51\nSaveConfig = true\n") +
                            peer_lines()});
  ASSERT_TRUE(config) << error_of(config);
  ASSERT_EQ(config->warnings.size(), 5u);
  EXPECT_TRUE(config->warnings[0].starts_with("p0.conf:5: PostUp: "));
  EXPECT_TRUE(config->warnings[1].starts_with("p0.conf:6: PreDown: "));
  EXPECT_TRUE(config->warnings[2].starts_with("p0.conf:7: Table: "));
}

TEST(GatewayConfig, AsksOnlyServersThatTheTunnelReaches) {
  const std::string text = interface_lines("DNS = fd00::1, example.org\n") + peer_lines();
  const auto own = make({text});
  ASSERT_TRUE(own) << error_of(own);
  EXPECT_EQ(own->tunnels[0].dns, std::vector<net::Address>{*net::Address::parse("10.2.0.1")});
  const auto chosen = make({text}, {.dns = {"9.9.9.9"}});
  ASSERT_TRUE(chosen) << error_of(chosen);
  EXPECT_EQ(chosen->tunnels[0].dns, std::vector<net::Address>{*net::Address::parse("9.9.9.9")});
  const auto none = make({text}, {.dns = {"fd00::9"}});
  ASSERT_TRUE(none) << error_of(none);
  EXPECT_EQ(none->warnings.size(), 1u);
}

TEST(GatewayConfig, KeepsTunnelsApart) {
  const std::string with_port = interface_lines("ListenPort = 51820\n") + peer_lines();
  const auto same_port = make({with_port, with_port});
  EXPECT_TRUE(error_of(same_port).starts_with("p1.conf:5: ListenPort: p0.conf has 51820"))
      << error_of(same_port);
  const auto apart = make({with_port, usual(), usual()});
  ASSERT_TRUE(apart) << error_of(apart);
  EXPECT_EQ(apart->tunnel_names(), (std::vector<std::string>{"p0", "p1", "p2"}));

  std::vector<GatewayFile> files;
  for (const char* path : {"a/p.conf", "b/p.conf"}) {
    files.push_back({path, "p", std::move(*config::parse_quick_file(path, usual()))});
  }
  const auto same_name = make_gateway_config(std::move(files), {.lan = {"eth1"}});
  EXPECT_TRUE(error_of(same_name).starts_with("a/p.conf and b/p.conf both name"))
      << error_of(same_name);
}

TEST(GatewayConfig, HasAtMostSixteenTunnels) {
  EXPECT_TRUE(make(std::vector<std::string>(16, usual())));
  EXPECT_TRUE(error_of(make(std::vector<std::string>(17, usual()))).starts_with("17 files"));
  EXPECT_TRUE(error_of(make({})).starts_with("no file was named"));
}

TEST(GatewayConfig, ReadsItsFlags) {
  struct Row {
    GatewayFlags flags;
    std::string_view error;  // Empty: accepted.
  };
  const Row rows[] = {
      {{.lan = {"eth1", "br0", "eth1"}}, ""},
      {{.lan = {"lo"}}, "--lan: \"lo\""},
      {{.lan = {""}}, "--lan: \"\""},
      {{.lan = {"a-name-of-16-chr"}}, "--lan: "},
      {{.lan = {"a-name-of-15-ch"}}, ""},
      {{.lan = {"p0"}}, "--lan: p0 is a tunnel"},
      {{.fwmark = "0x8888"}, ""},
      {{.fwmark = "34952/0xffff"}, ""},
      {{.fwmark = "0x10000"}, ""},
      {{.fwmark = "0"}, "--fwmark: "},
      {{.fwmark = "0x8888/0xff"}, "--fwmark: "},
      {{.fwmark = "0x100000000"}, "--fwmark: "},
      {{.fwmark = "mark"}, "--fwmark: "},
      {{.fwmark = "0x8888/"}, "--fwmark: "},
      {{.table = "252"}, ""},
      {{.table = "0"}, "--table: "},
      {{.table = "253"}, "--table: "},
      {{.table = "255"}, "--table: "},
      {{.table = "256"}, ""},
      {{.table = "4294967296"}, "--table: "},
      {{.priorities = "5,10,11"}, ""},
      {{.priorities = "32763,32764,32765"}, ""},
      {{.priorities = "32763,32764,32766"}, "--rule-priorities: "},
      {{.priorities = "0,10,11"}, "--rule-priorities: "},
      {{.priorities = "5,10"}, "--rule-priorities: "},
      {{.priorities = "5,10,11,12"}, "--rule-priorities: "},
      {{.priorities = "10,5,11"}, "--rule-priorities: "},
      {{.confirm = "0"}, ""},
      {{.confirm = "3600"}, ""},
      {{.confirm = "3601"}, "--confirm: "},
      {{.ask_after = "0"}, ""},
      {{.ask_after = "86400"}, ""},
      {{.ask_after = "-1"}, "--ask-after: \"-1\" is no number of seconds from 0 to 86400"},
      {{.ask_after = "86401"}, "--ask-after: "},
      {{.ask_after = "soon"}, "--ask-after: "},
      {{.dhcp_servers = {"192.0.2.1", "fe80::1"}}, ""},
      {{.dhcp_servers = {"192.0.2.0/24"}}, "--dhcp-server: "},
      {{.dhcp_servers = {"0.0.0.0"}}, "--dhcp-server: "},
      {{.dhcp_servers = std::vector<std::string>(kMaxDhcpServers, "192.0.2.1")}, ""},
      {{.dhcp_servers = std::vector<std::string>(kMaxDhcpServers + 1, "192.0.2.1")},
       "--dhcp-server: "},
      {{.metrics_listen = "127.0.0.1:9586"}, ""},
      {{.metrics_listen = "none"}, ""},
      {{.metrics_listen = "127.0.0.1"}, "--metrics-listen: "},
      {{.metrics_listen = "127.0.0.1:0"}, "--metrics-listen: "},
      {{.metrics_listen = "0.0.0.0:9586"},
       "--metrics-listen: 0.0.0.0:9586 can be reached by others"},
      {{.metrics_listen = "[2001:db8::1]:9586"},
       "--metrics-listen: [2001:db8::1]:9586 can be reached by others"},
      {{.confirm = "-1"}, "--confirm: "},
      {{.local = {"192.168.0.0/16", "10.0.0.0/8", "fd00::/16"}}, ""},
      {{.local = {"10.0.0.0/7"}}, "--local: "},
      {{.local = {"0.0.0.0/0"}}, "--local: "},
      {{.local = {"fd00::/15"}}, "--local: "},
      {{.local = {"192.168.0.1/16"}}, "--local: "},
      {{.manage = {"192.0.2.7"}}, ""},
      {{.manage = {"0.0.0.0/0", "::/0"}}, ""},
      {{.manage = {"admin"}}, "--manage: "},
      {{.dns = {"10.2.0.1"}}, ""},
      {{.dns = {"0.0.0.0"}}, "--dns: "},
      {{.dns = {"resolver"}}, "--dns: "},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(testing::Message() << (&row - rows) << ": " << row.error);
    const auto config = make({usual()}, row.flags);
    if (row.error.empty()) {
      EXPECT_TRUE(config) << error_of(config);
    } else {
      EXPECT_TRUE(error_of(config).starts_with(row.error)) << error_of(config);
    }
  }
  EXPECT_EQ(make({usual()}, {.fwmark = "0x10000"})->mark.mask, UINT32_MAX);
}

TEST(GatewayConfig, NeedsALan) {
  std::vector<GatewayFile> files;
  files.push_back({"p.conf", "p", std::move(*config::parse_quick_file("p.conf", usual()))});
  EXPECT_TRUE(error_of(make_gateway_config(std::move(files), {})).starts_with("--lan is missing"));

  GatewayFlags flags;
  for (std::size_t i = 0; i < kMaxLanInterfaces; ++i) flags.lan.push_back(fmt::format("eth{}", i));
  EXPECT_TRUE(make({usual()}, flags));
  flags.lan.emplace_back("eth999");
  EXPECT_TRUE(error_of(make({usual()}, flags)).starts_with("--lan: 65 interfaces"));
}

}  // namespace
}  // namespace ginnel::gateway

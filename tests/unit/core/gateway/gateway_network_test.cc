#include "core/gateway/gateway_network.h"

#include <gtest/gtest.h>

#include "core/hostnet/nft_print.h"

namespace ginnel::gateway {
namespace {

using hostnet::AssignedAddress;
using hostnet::HostState;
using hostnet::LockState;

net::Prefix prefix(std::string_view text) { return net::Prefix::parse(text).value(); }
net::Address address(std::string_view text) { return net::Address::parse(text).value(); }
net::Endpoint endpoint(std::string_view text) { return net::Endpoint::parse(text).value(); }
AssignedAddress own(const char* interface, const char* text) {
  return {.interface = interface, .address = *net::InterfaceAddress::parse(text)};
}

// The seed's container: eth0 leads out, eth1 to 10.100.0.0/24.
HostState seed_host() {
  return {.links = {{.index = 1, .name = "lo", .loopback = true},
                    {.index = 2, .name = "eth0"},
                    {.index = 3, .name = "eth1"}},
          .addresses = {own("eth0", "10.223.27.196/24"), own("eth1", "10.100.0.2/24"),
                        own("eth1", "203.0.113.9/28"), own("eth1", "fd10::2/64"),
                        own("eth1", "fe80::2/64")},
          .routes = {{.destination = prefix("0.0.0.0/0"), .interface = "eth0"},
                     {.destination = prefix("10.223.27.0/24"), .interface = "eth0"},
                     {.destination = prefix("10.100.0.0/24"), .interface = "eth1"},
                     {.destination = prefix("10.101.0.0/16"), .interface = "eth1"},
                     {.destination = prefix("192.168.0.0/16"), .interface = "eth0"}}};
}

GatewayFile file(const char* interface, std::string_view addresses = "10.2.0.2/32",
                 std::string_view dns = "10.2.0.1") {
  const std::string text = fmt::format(
      "[Interface]\nPrivateKey = yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=\nAddress = {}\n"
      "DNS = {}\n[Peer]\nPublicKey = xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=\n"
      "AllowedIPs = 0.0.0.0/0, ::/0\nEndpoint = 192.0.2.1:51820\n",
      addresses, dns);
  const std::string path = fmt::format("{}.conf", interface);
  return {path, interface, std::move(*config::parse_quick_file(path, text))};
}

GatewayConfig config_of(std::vector<GatewayFile> files, GatewayFlags flags = {}) {
  if (flags.lan.empty()) flags.lan = {"eth1"};
  return std::move(*make_gateway_config(std::move(files), flags));
}
GatewayConfig two_tunnels(GatewayFlags flags = {}) {
  std::vector<GatewayFile> files;
  files.push_back(file("nl", "10.2.0.2/32, fd02::2/128"));
  files.push_back(file("se", "10.2.0.2/32", "10.3.0.1"));
  return config_of(std::move(files), std::move(flags));
}

GatewayFacts facts_of(std::size_t active) {
  return {
      .state = LockState::Connected,
      .active = active,
      .tunnels = {{.endpoints = {endpoint("192.0.2.1:51820")}, .listen_port = 40000, .mtu = 1420},
                  {.endpoints = {endpoint("192.0.2.9:51820"), endpoint("192.0.2.1:51820")},
                   .listen_port = 40001,
                   .mtu = 1380}}};
}

std::string table_text(const GatewayConfig& config, std::size_t active) {
  const GatewayFacts facts = facts_of(active);
  const auto policy = gateway_policy(config, seed_host(), facts);
  return print(gateway_wishes(config, policy, facts).tables.front());
}

TEST(LanPrefixes, AreThePrivateSubnetsAndWhatWasNamed) {
  const auto config = two_tunnels(
      {.local = {"10.101.0.0/16", "192.168.7.0/24", "203.0.113.0/28", "172.31.0.0/16"}});
  HostState host = seed_host();
  EXPECT_EQ(lan_prefixes(config, host, "eth1"),
            (std::vector<net::Prefix>{prefix("10.100.0.0/24"), prefix("fd10::/64"),
                                      prefix("10.101.0.0/16"), prefix("fe80::/10")}));
  // A public subnet only counts once somebody named it.
  host.routes.push_back({.destination = prefix("203.0.113.0/28"), .interface = "eth1"});
  const auto prefixes = lan_prefixes(config, host, "eth1");
  EXPECT_NE(std::ranges::find(prefixes, prefix("203.0.113.0/28")), prefixes.end());
}

TEST(GatewayPolicy, SaysAllThatTheLockHasToKnow) {
  const auto config = two_tunnels({.local = {"192.168.7.0/24"}});
  GatewayFacts facts = facts_of(0);
  facts.manage = {prefix("10.223.27.1/32")};
  const auto policy = gateway_policy(config, seed_host(), facts);

  EXPECT_EQ(policy.state, LockState::Connected);
  EXPECT_EQ(policy.holder, "gateway:nl");
  EXPECT_EQ(policy.mark, (hostnet::MarkBits{0x8888, 0xffff}));
  EXPECT_EQ(policy.table, 1000u);
  EXPECT_EQ(policy.allowed_priority, 5u);
  EXPECT_EQ(policy.tunnel_priority, 10u);
  EXPECT_EQ(policy.unreachable_priority, 11u);
  EXPECT_EQ(policy.endpoints,
            (std::vector<net::Endpoint>{endpoint("192.0.2.1:51820"), endpoint("192.0.2.9:51820")}));
  EXPECT_EQ(policy.listen_ports, (std::vector<std::uint16_t>{40000, 40001}));
  EXPECT_EQ(policy.tunnels, (std::vector<std::string>{"nl", "se"}));
  EXPECT_EQ(policy.tunnel_addresses,
            (std::vector<net::Address>{address("10.2.0.2"), address("fd02::2")}));
  EXPECT_EQ(policy.dns, (std::vector<net::Address>{address("10.2.0.1"), address("10.3.0.1")}));
  ASSERT_EQ(policy.lans.size(), 1u);
  EXPECT_EQ(policy.lans[0].interface, "eth1");
  EXPECT_EQ(policy.allowed, std::vector<net::Prefix>{prefix("192.168.7.0/24")});
  EXPECT_EQ(policy.manage, std::vector<net::Prefix>{prefix("10.223.27.1/32")});
  EXPECT_EQ(policy.devices.size(), 2u);
  EXPECT_TRUE(check(policy));
}

TEST(GatewayPolicy, BelievesALeaseAboutServersThatAreNear) {
  const auto config = two_tunnels({.dhcp_servers = {"198.51.100.67"}});
  GatewayFacts facts = facts_of(0);
  facts.dhcp_servers = {address("10.223.27.1"), address("203.0.113.1"), address("10.2.0.1"),
                        address("8.8.8.8"), address("10.223.27.1")};
  EXPECT_EQ(
      gateway_policy(config, seed_host(), facts).dhcp_servers,
      (std::vector{address("10.223.27.1"), address("198.51.100.67"), address("203.0.113.1")}));
}

TEST(GatewayPolicy, PutsTheActiveTunnelFirst) {
  EXPECT_EQ(gateway_policy(two_tunnels(), seed_host(), facts_of(1)).tunnels,
            (std::vector<std::string>{"se", "nl"}));
}

TEST(GatewayPolicy, CountsTheMembersOfABridgeAsItsLan) {
  HostState host = seed_host();
  host.links.push_back({.index = 4, .name = "br0"});
  host.links.push_back({.index = 5, .name = "veth0", .master = 4});
  host.addresses.push_back(own("br0", "10.7.0.1/24"));
  const auto policy = gateway_policy(two_tunnels({.lan = {"br0"}}), host, facts_of(0));
  const auto device = std::ranges::find(policy.devices, "veth0", &hostnet::LockedDevice::name);
  ASSERT_NE(device, policy.devices.end());
  EXPECT_EQ(device->lan, "br0");
}

TEST(GatewayWishes, TranslateAndRefuseWhatTheActiveTunnelCannotCarry) {
  const auto config = two_tunnels();
  const std::string both = table_text(config, 0);
  EXPECT_NE(both.find("oifname { \"nl\", \"se\" } masquerade"), std::string::npos) << both;
  EXPECT_EQ(both.find("reject"), std::string::npos) << both;
  const std::string only4 = table_text(config, 1);
  EXPECT_NE(only4.find("meta nfproto ipv6"), std::string::npos) << only4;
  EXPECT_NE(only4.find("reject"), std::string::npos) << only4;
}

TEST(GatewayWishes, LeaveTheRoutesOfALockedGatewayToItsLock) {
  const auto config = two_tunnels();
  const auto policy = gateway_policy(config, seed_host(), facts_of(0));
  const auto wanted = gateway_wishes(config, policy, facts_of(0));
  EXPECT_TRUE(wanted.network.rules.empty());
  ASSERT_EQ(wanted.network.interfaces.size(), 2u);
  EXPECT_EQ(wanted.network.interfaces[0].mtu, 1420u);
  EXPECT_EQ(wanted.network.interfaces[0].addresses.size(), 2u);
  EXPECT_EQ(wanted.network.interfaces[1].mtu, 1380u);
  ASSERT_TRUE(wanted.network.interfaces[0].former);
  EXPECT_TRUE(wanted.network.interfaces[0].former->routes.empty());
}

TEST(GatewayWishes, RouteByThemselvesWithoutAKillSwitch) {
  const auto config = two_tunnels({.kill_switch = false});
  const auto policy = gateway_policy(config, seed_host(), facts_of(1));
  const auto wanted = gateway_wishes(config, policy, facts_of(1));
  std::vector<std::uint32_t> priorities;
  for (const auto& rule : wanted.network.rules) priorities.push_back(rule.priority);
  EXPECT_EQ(std::ranges::count(priorities, 10u), 2);
  EXPECT_GE(std::ranges::count(priorities, 5u), 2);
  EXPECT_EQ(std::ranges::count(priorities, 11u), 0);
  EXPECT_TRUE(wanted.network.interfaces[0].routes.empty());
  ASSERT_EQ(wanted.network.interfaces[1].routes.size(), 2u);
  EXPECT_EQ(wanted.network.interfaces[1].routes[0].interface, "se");
  // Of the tunnel that was left.
  EXPECT_EQ(wanted.network.interfaces[0].former->routes.size(), 2u);
  EXPECT_EQ(wanted.network.interfaces[0].former->routes[0].interface, "nl");
}

TEST(CheckFit, RefusesWhatCannotWorkOnThisHost) {
  EXPECT_TRUE(check_fit(two_tunnels(), seed_host()));
  struct Row {
    GatewayFlags flags;
    std::vector<AssignedAddress> more;
    std::string_view error;
  };
  const Row rows[] = {
      {{.lan = {"eth7"}}, {}, "--lan: there is no interface eth7"},
      {{.lan = {"eth2"}}, {own("eth2", "203.0.113.65/28")}, "--lan: eth2 has no private subnet"},
      {{.lan = {"eth2"}},
       {own("eth2", "10.2.0.9/24")},
       "nl.conf: Address: 10.2.0.2 lies in 10.2.0.0/24"},
      {{.lan = {"eth2"}},
       {own("eth2", "10.3.0.9/24")},
       "se.conf: DNS: 10.3.0.1 lies in 10.3.0.0/24"},
      {{.local = {"10.2.0.0/16"}}, {}, "nl.conf: Address: 10.2.0.2 lies in 10.2.0.0/16"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.error);
    HostState host = seed_host();
    host.links.push_back({.index = 9, .name = "eth2"});
    host.addresses.insert(host.addresses.end(), row.more.begin(), row.more.end());
    const Status fits = check_fit(two_tunnels(row.flags), host);
    ASSERT_FALSE(fits);
    EXPECT_TRUE(fits.error().message.starts_with(row.error)) << fits.error().message;
  }
}

}  // namespace
}  // namespace ginnel::gateway

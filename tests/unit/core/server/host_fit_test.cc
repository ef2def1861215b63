#include "core/server/host_fit.h"

#include <gtest/gtest.h>

namespace ginnel::server {
namespace {

using hostnet::AssignedAddress;
using hostnet::HostState;
using hostnet::Route;

net::Prefix prefix(std::string_view text) { return net::Prefix::parse(text).value(); }
net::Address address(std::string_view text) { return net::Address::parse(text).value(); }

Route route(std::string_view destination, std::string interface, std::uint32_t metric = 0) {
  return {.destination = prefix(destination), .interface = std::move(interface), .metric = metric};
}

AssignedAddress assigned(std::string interface, std::string_view text) {
  return {.interface = std::move(interface), .address = net::InterfaceAddress::parse(text).value()};
}

std::vector<hostnet::Link> links(std::initializer_list<const char*> names) {
  std::vector<hostnet::Link> all = {{.index = 1, .name = "lo", .up = true, .loopback = true}};
  for (const char* name : names) all.push_back({.name = name, .up = true});
  return all;
}

config::ServerConfig configured() {
  config::ServerConfig config;
  config.subnets = {prefix("10.200.100.0/24"), prefix("fd00:1:2:3::/64")};
  return config;
}

// A host in a data centre: one card, both families.
HostState data_centre() {
  return {.links = links({"eth0", "eth1", "wlan0", "wlan1", "wg0"}),
          .addresses = {assigned("lo", "127.0.0.1/8"), assigned("lo", "::1/128"),
                        assigned("eth0", "192.0.2.7/24"), assigned("eth0", "2001:db8::7/64"),
                        assigned("eth0", "fe80::7/64")},
          .routes = {route("192.0.2.0/24", "eth0"), route("0.0.0.0/0", "eth0"),
                     route("::/0", "eth0"), route("fe80::/64", "eth0")}};
}

TEST(ChooseUplinks, TakesTheBestDefaultRouteOfEachFamily) {
  HostState host = data_centre();
  EXPECT_EQ(choose_uplinks(configured(), host, "wg0"), (Uplinks{"eth0", "eth0"}));

  host.routes.push_back(route("::/0", "wlan0", 5));
  host.routes.push_back(route("::/0", "wlan1", 0));
  host.routes.back().preference = hostnet::RouterPreference::High;
  EXPECT_EQ(choose_uplinks(configured(), host, "wg0"), (Uplinks{"eth0", "wlan1"}));

  host.routes = {route("0.0.0.0/0", "eth0", 600), route("0.0.0.0/0", "eth1", 100)};
  EXPECT_EQ(choose_uplinks(configured(), host, "wg0"), (Uplinks{"eth1", ""}));
}

TEST(ChooseUplinks, PassesOverWhatIsNoWayOut) {
  Route dead = route("0.0.0.0/0", "eth1");
  dead.dead = true;
  Route other_table = route("0.0.0.0/0", "eth2");
  other_table.table = 51820;
  Route unreachable = route("0.0.0.0/0", "");
  unreachable.type = hostnet::RouteType::Unreachable;
  const HostState host{.links = links({"eth1", "eth2", "eth3", "wg0"}),
                       .routes = {dead, other_table, unreachable, route("0.0.0.0/0", "wg0"),
                                  route("10.0.0.0/8", "eth3")}};

  EXPECT_EQ(choose_uplinks(configured(), host, "wg0"), Uplinks{});
}

TEST(ChooseUplinks, ANamedInterfaceIsBothWithoutAskingTheHost) {
  config::ServerConfig config = configured();
  config.outbound_interface = "ppp0";
  EXPECT_EQ(choose_uplinks(config, data_centre(), "wg0"), (Uplinks{"ppp0", "ppp0"}));
}

// What clients are told, "-" for nothing.
std::string told(const config::ServerConfig& config, const HostState& host) {
  const auto choice = choose_endpoint(config, host, "wg0");
  return choice ? choice->endpoint.to_string(0) : "-";
}

TEST(ChooseEndpoint, IsTheUplinksAddress) {
  HostState host = data_centre();
  EXPECT_EQ(told(configured(), host), "192.0.2.7:51820");

  host.routes[1].source = address("192.0.2.99");
  EXPECT_EQ(told(configured(), host), "192.0.2.99:51820");

  host.routes.erase(host.routes.begin() + 1);
  EXPECT_EQ(told(configured(), host), "[2001:db8::7]:51820");
}

TEST(ChooseEndpoint, PassesOverAddressesThatClientsCannotUseForLong) {
  AssignedAddress temporary = assigned("eth0", "2001:db8::1234/64");
  temporary.temporary = true;
  AssignedAddress unusable = assigned("eth0", "2001:db8::bad/64");
  unusable.usable = false;
  const HostState host{
      .links = links({"eth0"}),
      .addresses = {temporary, unusable, assigned("eth0", "fe80::7/64"),
                    assigned("eth0", "fd00::7/64"), assigned("eth0", "2001:db8::7/64")},
      .routes = {route("::/0", "eth0")}};
  EXPECT_EQ(told(configured(), host), "[2001:db8::7]:51820");
}

TEST(ChooseEndpoint, WithoutAnUplinkIsAnyAddressOfTheHost) {
  const HostState host{.addresses = {assigned("lo", "127.0.0.1/8"), assigned("wg0", "10.9.0.1/24"),
                                     assigned("eth5", "192.0.2.5/24")}};
  EXPECT_EQ(told(configured(), host), "192.0.2.5:51820");
  EXPECT_EQ(told(configured(), HostState{}), "-");
}

TEST(ChooseEndpoint, IsWhatTheConfigurationSays) {
  config::ServerConfig config = configured();
  config.listen = {address("192.0.2.200"), 4500};
  EXPECT_EQ(told(config, data_centre()), "192.0.2.200:4500");

  config.endpoint = config::HostPort{"vpn.example.org", std::nullopt};
  EXPECT_EQ(told(config, data_centre()), "vpn.example.org:4500");

  config.endpoint = config::HostPort{"vpn.example.org", 443};
  EXPECT_EQ(told(config, data_centre()), "vpn.example.org:443");
}

TEST(ChooseEndpoint, WarnsOfAPrivateAddressUnlessItWasNamed) {
  struct Row {
    std::string_view address;
    bool warns;
  };
  const Row rows[] = {
      {"192.0.2.7/24", false},
      {"192.168.1.7/24", true},
      {"100.64.0.7/10", true},
      {"10.0.0.7/8", true},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.address);
    const HostState host{.links = links({"eth0"}),
                         .addresses = {assigned("eth0", row.address)},
                         .routes = {route("0.0.0.0/0", "eth0")}};
    const auto choice = choose_endpoint(configured(), host, "wg0");
    ASSERT_TRUE(choice);
    EXPECT_EQ(choice->warning.find("--endpoint") != std::string::npos, row.warns);
    EXPECT_EQ(choice->warning.empty(), !row.warns);

    config::ServerConfig named = configured();
    named.endpoint = config::HostPort{"192.168.1.7", std::nullopt};
    EXPECT_EQ(choose_endpoint(named, host, "wg0")->warning, "");
  }
}

TEST(CheckSubnets, RefusesWhatTheHostReachesAnotherWay) {
  struct Row {
    std::string_view address;  // On eth1; empty: none.
    std::string_view route;    // Through eth1.
    std::string_view named;    // In the error; empty: no collision.
  };
  const Row rows[] = {
      {"", "10.200.100.0/24", "route 10.200.100.0/24 dev eth1"},
      {"", "10.200.0.0/16", "route 10.200.0.0/16"},
      {"", "10.0.0.0/8", "route 10.0.0.0/8"},
      {"", "10.200.100.128/25", "route 10.200.100.128/25"},
      {"", "10.200.100.9/32", "route 10.200.100.9"},
      {"", "10.200.101.0/24", ""},
      {"", "10.200.99.0/24", ""},
      {"", "0.0.0.0/1", ""},
      {"", "10.0.0.0/7", ""},
      {"10.200.100.200/32", "192.0.2.0/24", "10.200.100.200/32 on this host's interface eth1"},
      {"10.200.0.1/16", "192.0.2.0/24", "--subnet"},
      {"10.201.0.1/16", "192.0.2.0/24", ""},
      {"", "fd00:1:2::/48", "--subnet6"},
      {"", "fd00:1:2:3::/64", "route fd00:1:2:3::/64"},
      {"", "fd00:1:2:4::/64", ""},
      {"", "fc00::/7", ""},
      {"fd00:1:2:3::9/128", "192.0.2.0/24", "--subnet6"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(testing::Message() << row.address << " " << row.route);
    HostState host{.routes = {route(row.route, "eth1")}};
    if (!row.address.empty()) host.addresses.push_back(assigned("eth1", row.address));
    const Status free = check_subnets_are_free(configured().subnets, host, "wg0");
    EXPECT_EQ(bool(free), row.named.empty());
    if (!free) {
      EXPECT_EQ(free.error().code, ErrorCode::Conflict);
      EXPECT_NE(free.error().message.find(row.named), std::string::npos) << free.error().message;
    }
  }
}

TEST(CheckSubnets, PassesOverTheServersOwnAndWhatLeadsNowhere) {
  Route nowhere = route("10.0.0.0/8", "");
  nowhere.type = hostnet::RouteType::Unreachable;
  Route local = route("10.200.100.1/32", "wg0");
  local.type = hostnet::RouteType::Local;
  local.table = hostnet::kLocalTable;
  const HostState host{
      .addresses = {assigned("wg0", "10.200.100.1/24"), assigned("wg0", "fd00:1:2:3::1/64")},
      .routes = {route("10.200.100.0/24", "wg0"), nowhere, local, route("0.0.0.0/0", "eth0")}};

  EXPECT_TRUE(check_subnets_are_free(configured().subnets, host, "wg0"));
  EXPECT_FALSE(check_subnets_are_free(configured().subnets, host, "wg1"));
}

}  // namespace
}  // namespace ginnel::server

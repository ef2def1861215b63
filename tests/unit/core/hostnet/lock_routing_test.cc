#include "core/hostnet/lock_routing.h"

#include <gtest/gtest.h>

#include "unit/core/hostnet/lock_samples.h"
#include "unit/core/hostnet/route_evaluator.h"

namespace ginnel::hostnet {
namespace {

std::vector<std::string> rules_of(const LockPolicy& policy, net::Family family) {
  std::vector<std::string> lines;
  for (const RoutingRule& rule : lock_routing(policy).rules) {
    if (rule.family == family) lines.push_back(rule.to_string());
  }
  return lines;
}

TEST(LockRouting, HasTheRulesOfTheGatewayButNoneToTheEndpoint) {
  LockPolicy policy{.state = LockState::Connected,
                    .endpoints = {to_endpoint("198.51.100.1:51820")},
                    .tunnels = {"wg0"},
                    .lans = {{.interface = "eth1", .prefixes = {to_prefix("10.100.0.0/24")}}}};
  const std::vector<std::string> expected = {"5: from all to 10.100.0.0/24 lookup 254",
                                             "10: not from all fwmark 0x8888/0xffff lookup 1000",
                                             "11: not from all fwmark 0x8888/0xffff unreachable"};
  EXPECT_EQ(rules_of(policy, net::Family::V4), expected);
  const std::vector<std::string> expected6 = {expected[1], expected[2]};
  EXPECT_EQ(rules_of(policy, net::Family::V6), expected6);
}

TEST(LockRouting, LeadsProgramsBesideTheTunnelButNotWhatTheyAskItsServers) {
  LockPolicy policy{.state = LockState::Connected,
                    .endpoints = {to_endpoint("198.51.100.1:51820")},
                    .tunnels = {"wg0"},
                    .dns = {to_address("10.2.0.1"), to_address("198.51.100.1")},
                    .split = {{.user = 1000}, {.cgroup = "a/b"}}};
  const std::vector<std::string> expected = {"8: from all to 10.2.0.1/32 lookup 1000",
                                             "9: from all fwmark 0x1000000/0xff000000 lookup 254",
                                             "9: from all uidrange 1000-1000 lookup 254",
                                             "9: from all fwmark 0x2000000/0xff000000 lookup 254",
                                             "10: not from all fwmark 0x8888/0xffff lookup 1000",
                                             "11: not from all fwmark 0x8888/0xffff unreachable"};
  EXPECT_EQ(rules_of(policy, net::Family::V4), expected);
  EXPECT_EQ(rules_of(policy, net::Family::V6).size(), 5u);
  policy.state = LockState::Error;
  EXPECT_EQ(rules_of(policy, net::Family::V4).size(), 2u);
}

// The kernel lists no prefix of length 0, so none may be asked for.
TEST(LockRouting, AnswersManagersFromAnywhereByItsOwnAddress) {
  LockPolicy policy{
      .state = LockState::Connected,
      .tunnels = {"wg0"},
      .manage = {to_prefix("0.0.0.0/0"), to_prefix("192.0.2.9/32"), to_prefix("8000::/1")},
      .own_addresses = {{to_address("192.0.2.7"), 24}, {to_address("2001:db8::7"), 64}}};
  const std::vector<std::string> expected = {"5: from 192.0.2.7/32 lookup 254",
                                             "10: not from all fwmark 0x8888/0xffff lookup 1000",
                                             "11: not from all fwmark 0x8888/0xffff unreachable"};
  auto lines = rules_of(policy, net::Family::V4);
  std::erase(lines, "5: from all to 192.0.2.9/32 lookup 254");
  EXPECT_EQ(lines, expected);
  EXPECT_EQ(rules_of(policy, net::Family::V6).front(),
            "5: from 2001:db8::7/128 to 8000::/1 lookup 254");

  const LockRouting routing = lock_routing(policy);
  std::vector<Route> routes = routing.through_tunnel;
  routes.push_back({.destination = to_prefix("0.0.0.0/0"), .interface = "eth0"});
  RoutedPacket packet{.destination = to_address("8.8.8.8")};
  EXPECT_EQ(route_packet(routing.rules, routes, packet), "wg0");
  packet.source = to_address("192.0.2.7");
  EXPECT_EQ(route_packet(routing.rules, routes, packet), "eth0");
}

// By the rules the kernel looks whether the router of a new route is on the link.
TEST(LockRouting, LetsRoutersOfEachDeviceBeFound) {
  for (LockState state : kLockStates) {
    if (state == LockState::Off) continue;
    SCOPED_TRACE(name_of(state));
    const LockRouting routing = lock_routing(full_policy(state));
    std::vector<Route> routes = routing.unreachable;
    routes.push_back({.destination = to_prefix("192.0.2.0/24"), .interface = "eth0"});
    RoutedPacket packet{.destination = to_address("192.0.2.1")};
    EXPECT_EQ(route_packet(routing.rules, routes, packet), std::nullopt);
    packet.bound_to = "eth0";
    EXPECT_EQ(route_packet(routing.rules, routes, packet), "eth0");
  }
}

TEST(LockRouting, LeadsNowhereBeforeItLeadsIntoTheTunnel) {
  const auto routes = [](LockState state) { return lock_routing(full_policy(state)); };
  for (LockState state : kLockStates) {
    SCOPED_TRACE(name_of(state));
    EXPECT_EQ(routes(state).unreachable.size(), state == LockState::Off ? 0u : 2u);
    EXPECT_EQ(routes(state).through_tunnel.size(), state == LockState::Connected ? 2u : 0u);
  }
  for (const Route& route : routes(LockState::Connected).unreachable) {
    EXPECT_EQ(route.metric, 4294967294u);
    EXPECT_TRUE(route.is_default());
  }
  EXPECT_EQ(routes(LockState::Connected).through_tunnel.front().interface, "wg0");
}

TEST(LockRouting, HasNoRuleWhenItIsOff) {
  EXPECT_EQ(lock_routing(full_policy(LockState::Off)), LockRouting{});
  EXPECT_TRUE(lock_settings(full_policy(LockState::Off), {"eth0"}).empty());
}

TEST(LockRouting, TrustsNoExceptionInTheStateOfError) {
  const auto rules = rules_of(full_policy(LockState::Error), net::Family::V4);
  for (const std::string& rule : rules) {
    EXPECT_EQ(rule.find("192.168.7.0/24"), std::string::npos) << rule;
  }
}

TEST(LockSettings, AreStrictOnEveryInterface) {
  const auto settings = lock_settings(full_policy(LockState::Locked), {"eth0", "eth1"});
  const auto has = [&](const char* path, const char* value) {
    return std::ranges::find(settings, Sysctl{.path = path, .value = value}) != settings.end();
  };
  EXPECT_TRUE(has("net/ipv4/conf/all/src_valid_mark", "1"));
  EXPECT_TRUE(has("net/ipv4/conf/all/arp_ignore", "2"));
  EXPECT_TRUE(has("net/ipv4/conf/all/rp_filter", "1"));
  EXPECT_TRUE(has("net/ipv4/conf/eth0/rp_filter", "1"));
  EXPECT_TRUE(has("net/ipv4/conf/eth1/rp_filter", "1"));
}

// The attacks on routing that its own rules withstand, and those that only the filter does.
TEST(LockRouting, WithstandsALostTableAndAnInjectedRoute) {
  const LockRouting routing = lock_routing(full_policy(LockState::Connected));
  std::vector<Route> routes = routing.unreachable;
  routes.insert(routes.end(), routing.through_tunnel.begin(), routing.through_tunnel.end());
  routes.push_back({.destination = to_prefix("0.0.0.0/0"), .interface = "eth0"});
  const RoutedPacket packet{.destination = to_address("8.8.8.8")};
  EXPECT_EQ(route_packet(routing.rules, routes, packet), "wg0");

  routes.push_back({.destination = to_prefix("0.0.0.0/1"), .interface = "eth0"});
  EXPECT_EQ(route_packet(routing.rules, routes, packet), "wg0");

  std::erase_if(routes, [](const Route& route) { return route.interface == "wg0"; });
  EXPECT_EQ(route_packet(routing.rules, routes, packet), std::nullopt);

  std::erase_if(routes, [](const Route& route) { return route.table == 1000; });
  EXPECT_EQ(route_packet(routing.rules, routes, packet), std::nullopt);
  EXPECT_EQ(
      route_packet(routing.rules, routes, {.destination = packet.destination, .mark = 0x8888}),
      "eth0");
}

}  // namespace
}  // namespace ginnel::hostnet

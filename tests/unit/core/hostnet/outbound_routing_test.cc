#include "core/hostnet/outbound_routing.h"

#include <gtest/gtest.h>

namespace ginnel::hostnet {
namespace {

constexpr std::uint16_t kPort = 51820;

Route default_route(const char* prefix, const char* gateway, const char* interface,
                    std::uint32_t metric = 0) {
  return {.destination = net::Prefix::parse(prefix).value(),
          .gateway = net::Address::parse(gateway).value(),
          .interface = interface,
          .metric = metric};
}

HostState two_ways() {
  return {.routes = {default_route("0.0.0.0/0", "203.0.113.1", "eth0"),
                     default_route("0.0.0.0/0", "198.51.100.1", "eth1", 2000),
                     default_route("::/0", "2001:db8::1", "eth0", 1024)}};
}

OutboundRouting through(const char* outbound) {
  return {.tunnel = "wg0", .outbound = outbound, .table = outbound_table(kPort), .ipv6 = true};
}

std::vector<Operation> plan_outbound(const HostState& current, const OutboundRouting& wanted) {
  return plan(current, outbound_network(current, wanted)).value();
}

std::vector<std::string> described(const std::vector<Operation>& operations) {
  std::vector<std::string> texts;
  for (const Operation& operation : operations) texts.push_back(describe(operation));
  return texts;
}

// Carries out what was planned, as the kernel would.
void carry_out(const std::vector<Operation>& operations, HostState& state) {
  for (const Operation& operation : operations) {
    if (const auto* add = std::get_if<AddRoute>(&operation)) state.routes.push_back(add->route);
    if (const auto* add = std::get_if<AddRule>(&operation)) state.rules.push_back(add->rule);
    if (const auto* gone = std::get_if<RemoveRoute>(&operation)) {
      std::erase(state.routes, gone->route);
    }
    if (const auto* gone = std::get_if<RemoveRule>(&operation)) {
      std::erase(state.rules, gone->rule);
    }
  }
}

TEST(OutboundRouting, LeadsEachFamilyThroughTheInterface) {
  const auto operations = plan_outbound(two_ways(), through("eth1"));
  ASSERT_EQ(operations.size(), 5u);
  const auto* route = std::get_if<AddRoute>(&operations[0]);
  ASSERT_NE(route, nullptr);  // Of IPv4 only: IPv6 has no way there.
  EXPECT_EQ(route->route.gateway->to_string(), "198.51.100.1");
  EXPECT_EQ(route->route.table, outbound_table(kPort));
  for (std::size_t i = 1; i < operations.size(); ++i) {
    const auto* rule = std::get_if<AddRule>(&operations[i]);
    ASSERT_NE(rule, nullptr);
    EXPECT_EQ(rule->rule.in_interface, "wg0");
    EXPECT_EQ(rule->rule.origin, RouteOrigin::Ginnel);
  }
}

TEST(OutboundRouting, DoesNothingWhenNothingDiffers) {
  HostState state = two_ways();
  carry_out(plan_outbound(state, through("eth0")), state);
  EXPECT_EQ(described(plan_outbound(state, through("eth0"))), std::vector<std::string>());
}

TEST(OutboundRouting, FollowsARouterThatChangesTheOldRouteFirst) {
  HostState state = two_ways();
  carry_out(plan_outbound(state, through("eth1")), state);
  state.routes[1].gateway = net::Address::parse("198.51.100.7").value();
  const auto operations = plan_outbound(state, through("eth1"));
  ASSERT_EQ(operations.size(), 2u);
  EXPECT_TRUE(std::holds_alternative<RemoveRoute>(operations[0]));
  EXPECT_TRUE(std::holds_alternative<AddRoute>(operations[1]));
}

TEST(OutboundRouting, KeepsItsRulesWhenTheWayIsGone) {
  HostState state = two_ways();
  carry_out(plan_outbound(state, through("eth1")), state);
  state.routes[1].dead = true;
  const auto operations = plan_outbound(state, through("eth1"));
  ASSERT_EQ(operations.size(), 1u);
  EXPECT_TRUE(std::holds_alternative<RemoveRoute>(operations[0]));
}

TEST(OutboundRouting, TakesBackAllOfItAndNothingElse) {
  HostState state = two_ways();
  // Somebody else's rule for the same tunnel, and another server's.
  state.rules.push_back({.priority = 5, .in_interface = "wg0", .table = 7});
  carry_out(
      plan_outbound(
          state,
          {.tunnel = "wg1", .outbound = "eth0", .table = outbound_table(kPort + 1), .ipv6 = true}),
      state);
  const HostState before = state;
  carry_out(plan_outbound(state, through("eth1")), state);
  HostState killed = state;
  carry_out(plan_outbound(state, {.tunnel = "wg0"}), state);
  EXPECT_EQ(state.rules, before.rules);
  EXPECT_EQ(state.routes, before.routes);
  const auto is_wg0 = [](const std::string& tunnel) { return tunnel == "wg0"; };
  carry_out(plan(killed, without_outbound(killed, is_wg0)).value(), killed);
  EXPECT_EQ(killed.rules, before.rules);
  EXPECT_EQ(killed.routes, before.routes);
}

TEST(OutboundRouting, TheBestOfSeveralDefaultRoutesCounts) {
  HostState state = two_ways();
  state.routes.push_back(default_route("0.0.0.0/0", "198.51.100.9", "eth1", 100));
  const Route* best = find_default_via(state, net::Family::V4, "eth1");
  ASSERT_NE(best, nullptr);
  EXPECT_EQ(best->metric, 100u);
  EXPECT_EQ(find_default_via(state, net::Family::V6, "eth1"), nullptr);
}

}  // namespace
}  // namespace ginnel::hostnet

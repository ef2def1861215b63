#include "core/hostnet/plan.h"

#include <gtest/gtest.h>

namespace ginnel::hostnet {
namespace {

net::InterfaceAddress own(const char* text) { return net::InterfaceAddress::parse(text).value(); }
net::Prefix prefix(const char* text) { return net::Prefix::parse(text).value(); }

WantedNetwork wanted_wg0() {
  return {.interfaces = {{.name = "wg0",
                          .mtu = 1420,
                          .addresses = {own("10.200.100.1/24"), own("fd00::1/64")},
                          .routes = {{.destination = prefix("10.9.0.0/16"), .interface = "wg0"}}}}};
}

HostState fresh_wg0() {
  return {.links = {{.index = 1, .name = "lo", .up = true, .loopback = true},
                    {.index = 2, .name = "wg0", .kind = "tun", .mtu = 1500}}};
}

// The state after the plan, as far as the plan looks at it.
HostState configured_wg0() {
  return {.links = {{.index = 2, .name = "wg0", .kind = "tun", .mtu = 1420, .up = true}},
          .addresses = {{.interface = "wg0", .address = own("10.200.100.1/24")},
                        {.interface = "wg0", .address = own("fd00::1/64")},
                        {.interface = "wg0", .address = own("fe80::1/64"), .scope = Scope::Link}},
          .routes = {{.destination = prefix("10.200.100.0/24"),
                      .interface = "wg0",
                      .origin = RouteOrigin::Kernel,
                      .scope = Scope::Link},
                     {.destination = prefix("10.9.0.0/16"), .interface = "wg0"},
                     {.destination = prefix("0.0.0.0/0"), .interface = "eth0"}}};
}

std::vector<std::string> described(const std::vector<Operation>& operations) {
  std::vector<std::string> texts;
  for (const Operation& operation : operations) texts.push_back(describe(operation));
  return texts;
}

TEST(Plan, SetsUpAFreshInterfaceInOrder) {
  const auto operations = plan(fresh_wg0(), wanted_wg0());
  ASSERT_TRUE(operations);
  EXPECT_EQ(described(*operations),
            (std::vector<std::string>{"add 10.200.100.1/24 to wg0", "add fd00::1/64 to wg0",
                                      "set the MTU of wg0 to 1420", "set wg0 up",
                                      "add route 10.9.0.0/16 dev wg0"}));
}

TEST(Plan, DoesNothingWhenNothingDiffers) {
  const auto operations = plan(configured_wg0(), wanted_wg0());
  ASSERT_TRUE(operations);
  EXPECT_EQ(described(*operations), std::vector<std::string>());
}

TEST(Plan, ChangesOnlyWhatDiffers) {
  WantedNetwork wanted = wanted_wg0();
  wanted.interfaces[0].mtu = 1380;
  wanted.interfaces[0].addresses[0] = own("10.77.0.1/24");
  wanted.interfaces[0].routes = {
      {.destination = prefix("10.8.0.0/16"), .interface = "wg0", .metric = 5}};
  const auto operations = plan(configured_wg0(), wanted);
  ASSERT_TRUE(operations);
  EXPECT_EQ(described(*operations),
            (std::vector<std::string>{"add 10.77.0.1/24 to wg0", "remove 10.200.100.1/24 from wg0",
                                      "set the MTU of wg0 to 1380",
                                      "add route 10.8.0.0/16 dev wg0 metric 5",
                                      "remove route 10.9.0.0/16 dev wg0"}));
}

TEST(Plan, RaisesTheMtuBeforeAddressesThatNeedIt) {
  HostState current = fresh_wg0();
  current.links[1].mtu = 1000;
  const auto operations = plan(current, wanted_wg0());
  ASSERT_TRUE(operations);
  EXPECT_EQ(described(*operations).front(), "set the MTU of wg0 to 1420");
}

TEST(Plan, LeavesAloneWhatOthersAddedToASharedInterface) {
  WantedNetwork wanted = wanted_wg0();
  wanted.interfaces[0].routes.clear();
  wanted.interfaces[0].addresses = {own("10.200.100.1/24")};
  wanted.interfaces[0].former = FormerInterface{};
  EXPECT_EQ(plan(configured_wg0(), wanted)->size(), 0u);

  wanted.interfaces[0].former =
      FormerInterface{.addresses = {own("fd00::1/64")},
                      .routes = {{.destination = prefix("10.9.0.0/16"), .interface = "wg0"}}};
  EXPECT_EQ(
      described(*plan(configured_wg0(), wanted)),
      (std::vector<std::string>{"remove fd00::1/64 from wg0", "remove route 10.9.0.0/16 dev wg0"}));
}

TEST(Plan, RemovesFormerRulesThatAreNotWanted) {
  const RoutingRule mine{.priority = 10, .table = 1000};
  const RoutingRule other{.priority = 11, .table = 1000};
  HostState current = configured_wg0();
  current.rules = {mine, other};
  EXPECT_EQ(described(*plan(current, {.former_rules = {mine}})),
            std::vector<std::string>{"remove rule 10: from all lookup 1000"});
  EXPECT_EQ(plan(current, {.rules = {mine}, .former_rules = {mine}})->size(), 0u);
}

TEST(Plan, KnowsTheMetricThatTheKernelGivesAnIpv6Route) {
  HostState current = configured_wg0();
  current.routes.push_back(
      {.destination = prefix("2001:db8::/32"), .interface = "wg0", .metric = 1024});
  WantedNetwork wanted = wanted_wg0();
  wanted.interfaces[0].routes.push_back(
      {.destination = prefix("2001:db8::/32"), .interface = "wg0"});
  EXPECT_EQ(plan(current, wanted)->size(), 0u);
}

TEST(Plan, AddsRulesThatAreMissingAndLeavesOthersAlone) {
  const RoutingRule ours{.priority = 10, .mark = 1, .mark_mask = 0xffffffff, .table = 1000};
  HostState current = configured_wg0();
  current.rules = {{.priority = 32766, .table = kMainTable, .origin = RouteOrigin::Kernel}};
  WantedNetwork wanted = wanted_wg0();
  wanted.rules = {ours};
  EXPECT_EQ(described(*plan(current, wanted)),
            std::vector<std::string>{"add rule 10: from all fwmark 0x1 lookup 1000"});
  current.rules.push_back(ours);
  EXPECT_EQ(plan(current, wanted)->size(), 0u);
}

TEST(Plan, AddsRoutesThatLeadNowhereAndTakesFormerOnesBack) {
  const Route nowhere{.destination = prefix("::/0"),
                      .table = 1000,
                      .metric = 4294967294,
                      .type = RouteType::Unreachable};
  const std::string text = "route unreachable default table 1000 metric 4294967294";
  HostState current;
  WantedNetwork wanted{.routes = {nowhere}};
  EXPECT_EQ(described(*plan(current, wanted)), std::vector<std::string>{"add " + text});

  // The kernel names an interface where IPv6 leads nowhere.
  Route listed = nowhere;
  listed.interface = "lo";
  current.routes = {listed};
  EXPECT_EQ(plan(current, wanted)->size(), 0u);

  // As it is listed it is still the one that is wanted.
  wanted.former_routes = {listed};
  EXPECT_EQ(plan(current, wanted)->size(), 0u);

  wanted = {.former_routes = {nowhere}};
  EXPECT_EQ(described(*plan(current, wanted)), std::vector<std::string>{"remove " + text});
  current.routes.clear();
  EXPECT_EQ(plan(current, wanted)->size(), 0u);
}

TEST(Plan, NamesTheInterfaceThatDoesNotExist) {
  const auto operations = plan({}, wanted_wg0());
  ASSERT_FALSE(operations);
  EXPECT_EQ(operations.error().message, "interface wg0 does not exist");
}

TEST(Inverse, TakesEveryOperationBack) {
  const Route route{.destination = prefix("10.9.0.0/16"), .interface = "wg0"};
  const RoutingRule rule{.priority = 10, .table = 1000};
  const Operation operations[] = {
      SetLinkUp{.interface = "wg0", .up = true},
      SetMtu{.interface = "wg0", .mtu = 1420, .was = 1500},
      AddAddress{.interface = "wg0", .address = own("10.0.0.1/24")},
      RemoveAddress{.interface = "wg0", .address = own("10.0.0.1/24")},
      AddRoute{route},
      RemoveRoute{route},
      AddRule{rule},
      RemoveRule{rule},
  };
  for (const Operation& operation : operations) {
    SCOPED_TRACE(describe(operation));
    EXPECT_NE(inverse(operation), operation);
    EXPECT_EQ(inverse(inverse(operation)), operation);
  }
}

}  // namespace
}  // namespace ginnel::hostnet

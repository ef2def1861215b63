#include "core/hostnet/uplink.h"

#include <gtest/gtest.h>

namespace ginnel::hostnet {
namespace {

net::Prefix prefix(const char* text) { return net::Prefix::parse(text).value(); }
net::Address address(const char* text) { return net::Address::parse(text).value(); }
AssignedAddress assigned(const char* interface, const char* text) {
  return {.interface = interface, .address = net::InterfaceAddress::parse(text).value()};
}
Route default_via(const char* gateway, const char* interface, std::uint32_t metric) {
  const net::Address router = address(gateway);
  return {.destination = net::Prefix::masking(net::Address::any(router.family()), 0),
          .gateway = router,
          .interface = interface,
          .metric = metric};
}

HostState two_uplinks() {
  return {.links = {{.index = 1, .name = "lo", .up = true, .loopback = true},
                    {.index = 2, .name = "eth0", .up = true},
                    {.index = 3, .name = "wlan0", .up = true},
                    {.index = 4, .name = "wg0", .up = true}},
          .addresses = {assigned("eth0", "192.0.2.7/24"), assigned("wlan0", "10.1.0.5/16"),
                        assigned("eth0", "2001:db8::7/64")},
          .routes = {default_via("10.1.0.1", "wlan0", 600), default_via("192.0.2.1", "eth0", 100),
                     default_via("fe80::1", "eth0", 1024)}};
}

TEST(FindUplink, TakesTheDefaultRouteWithTheLowestMetricOfEachFamily) {
  EXPECT_EQ(
      find_uplink(two_uplinks(), net::Family::V4, "wg0"),
      (Uplink{
          .interface = "eth0", .gateway = address("192.0.2.1"), .source = address("192.0.2.7")}));
  EXPECT_EQ(
      find_uplink(two_uplinks(), net::Family::V6, "wg0"),
      (Uplink{
          .interface = "eth0", .gateway = address("fe80::1"), .source = address("2001:db8::7")}));
}

TEST(FindUplink, PassesOverWhatDoesNotLeadOut) {
  const struct {
    const char* why;
    void (*change)(Route&);
  } rows[] = {
      {"through the tunnel itself", [](Route& r) { r.interface = "wg0"; }},
      {"of another table", [](Route& r) { r.table = 1000; }},
      {"that refuses", [](Route& r) { r.type = RouteType::Unreachable; }},
      {"without a carrier", [](Route& r) { r.dead = true; }},
      {"to a part of the internet", [](Route& r) { r.destination = prefix("0.0.0.0/1"); }},
      {"over an interface that is gone", [](Route& r) { r.interface = "ppp0"; }},
      {"over the loopback interface", [](Route& r) { r.interface = "lo"; }},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.why);
    HostState state = two_uplinks();
    row.change(state.routes[1]);
    EXPECT_EQ(find_uplink(state, net::Family::V4, "wg0")->interface, "wlan0");
  }
  HostState down = two_uplinks();
  down.links[1].up = false;
  EXPECT_EQ(find_uplink(down, net::Family::V4, "wg0")->interface, "wlan0");
}

TEST(FindUplink, FindsNothingWithoutADefaultRoute) {
  HostState state = two_uplinks();
  state.routes.clear();
  EXPECT_EQ(find_uplink(state, net::Family::V4, "wg0"), std::nullopt);
}

TEST(FindUplink, PrefersTheBetterRouterAtTheSameMetric) {
  HostState state = two_uplinks();
  state.routes = {default_via("fe80::1", "eth0", 1024), default_via("fe80::2", "wlan0", 1024)};
  state.routes[1].preference = RouterPreference::High;
  EXPECT_EQ(find_uplink(state, net::Family::V6, "wg0")->interface, "wlan0");
}

TEST(FindUplink, TakesOnLinkRoutesAndTheirSource) {
  HostState state = two_uplinks();
  state.routes = {
      {.destination = prefix("0.0.0.0/0"), .interface = "eth0", .source = address("192.0.2.99")}};
  EXPECT_EQ(find_uplink(state, net::Family::V4, "wg0"),
            (Uplink{.interface = "eth0", .source = address("192.0.2.99")}));
}

TEST(FindUplink, ChoosesAStableGlobalSource) {
  HostState state = two_uplinks();
  AssignedAddress link_local = assigned("eth0", "fe80::7/64");
  link_local.scope = Scope::Link;
  AssignedAddress temporary = assigned("eth0", "2001:db8::1234/64");
  temporary.temporary = true;
  AssignedAddress old = assigned("eth0", "2001:db8::dead/64");
  old.usable = false;
  state.addresses = {link_local, temporary, old, assigned("eth0", "fd00::7/64")};
  EXPECT_EQ(find_uplink(state, net::Family::V6, "wg0")->source, address("fd00::7"));
  state.addresses.push_back(assigned("eth0", "2001:db8::7/64"));
  EXPECT_EQ(find_uplink(state, net::Family::V6, "wg0")->source, address("2001:db8::7"));
}

TEST(NamedUplink, NeedsNoRouteButALinkThatIsUp) {
  HostState state = two_uplinks();
  EXPECT_EQ(named_uplink(state, net::Family::V4, "wlan0"), (Uplink{.interface = "wlan0",
                                                                   .gateway = address("10.1.0.1"),
                                                                   .source = address("10.1.0.5")}));
  state.routes.clear();
  EXPECT_EQ(named_uplink(state, net::Family::V4, "wlan0"),
            (Uplink{.interface = "wlan0", .source = address("10.1.0.5")}));
  EXPECT_EQ(named_uplink(state, net::Family::V4, "ppp0"), std::nullopt);
  state.links[2].up = false;
  EXPECT_EQ(named_uplink(state, net::Family::V4, "wlan0"), std::nullopt);
}

TEST(AnyAddress, IsStableKnownOutsideAndNotTheTunnels) {
  HostState state{.addresses = {assigned("lo", "127.0.0.1/8"), assigned("wg0", "10.9.0.1/24"),
                                assigned("eth0", "fe80::7/64")}};
  EXPECT_EQ(any_address(state, "wg0"), std::nullopt);
  EXPECT_EQ(any_address(state, "wg1"), address("10.9.0.1"));
  state.addresses.push_back(assigned("eth5", "192.0.2.5/24"));
  EXPECT_EQ(any_address(state, "wg0"), address("192.0.2.5"));
}

TEST(CheckNoCollision, NamesTheAddressOrRouteInTheWay) {
  HostState state = two_uplinks();
  state.routes.push_back({.destination = prefix("172.16.0.0/12"),
                          .gateway = address("192.0.2.9"),
                          .interface = "eth0"});
  const struct {
    const char* subnet;
    const char* message;
  } rows[] = {
      {"10.1.7.0/24",
       "subnet 10.1.7.0/24 collides with 10.1.0.5/16 on this host's interface wlan0; choose "
       "another with --subnet"},
      {"10.0.0.0/8",
       "subnet 10.0.0.0/8 collides with 10.1.0.5/16 on this host's interface wlan0; choose "
       "another with --subnet"},
      {"172.20.0.0/16",
       "subnet 172.20.0.0/16 collides with this host's route 172.16.0.0/12 via 192.0.2.9 dev eth0; "
       "choose another with --subnet"},
      {"2001:db8::/32",
       "subnet 2001:db8::/32 collides with 2001:db8::7/64 on this host's interface eth0; choose "
       "another with --subnet6"},
  };
  for (const auto& row : rows) {
    const Status checked = check_no_collision(state, prefix(row.subnet), "wg0");
    ASSERT_FALSE(checked) << row.subnet;
    EXPECT_EQ(checked.error().message, row.message);
    EXPECT_EQ(checked.error().code, ErrorCode::Conflict);
  }
}

TEST(CheckNoCollision, LetsPassWhatIsNotInTheWay) {
  HostState state = two_uplinks();
  state.addresses.push_back(assigned("wg0", "10.200.100.1/24"));
  state.routes.push_back({.destination = prefix("10.200.100.0/24"), .interface = "wg0"});
  state.routes.push_back({.destination = prefix("0.0.0.0/1"), .interface = "tun0"});
  state.routes.push_back({.destination = prefix("10.0.0.0/8"), .type = RouteType::Blackhole});
  EXPECT_TRUE(check_no_collision(state, prefix("10.200.100.0/24"), "wg0"));
  EXPECT_TRUE(check_no_collision(state, prefix("fd00::/64"), "wg0"));
  EXPECT_FALSE(check_no_collision(state, prefix("10.200.100.0/24"), "wg1"));
}

}  // namespace
}  // namespace ginnel::hostnet

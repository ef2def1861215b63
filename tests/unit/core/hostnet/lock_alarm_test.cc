#include "core/hostnet/lock_alarm.h"

#include <gtest/gtest.h>

#include "unit/core/hostnet/lock_samples.h"

namespace ginnel::hostnet {
namespace {

// eth0 leads outside and has two public addresses, eth1 to the LAN.
HostState host_with(std::vector<Route> routes) {
  const auto own = [](const char* text) {
    return AssignedAddress{.interface = "eth0",
                           .address = net::InterfaceAddress::parse(text).value()};
  };
  return {.addresses = {own("203.0.113.7/24"), own("2001:db8:7::7/64"), own("2001:db8:8::8/128")},
          .routes = std::move(routes)};
}

LockPolicy knowing(std::vector<KnownRoute> routes) {
  LockPolicy policy = full_policy(LockState::Connected);
  policy.known_routes = std::move(routes);
  return policy;
}

Route to(const char* destination, const char* interface = "eth0") {
  return {.destination = to_prefix(destination), .interface = interface};
}

TEST(InjectedRoutes, AreThoseToPublicNetworksByAnInterfaceThatLeadsOutside) {
  const auto table = [](Route route, std::uint32_t number) {
    route.table = number;
    return route;
  };
  const auto via = [](Route route, const char* gateway) {
    route.gateway = to_address(gateway);
    return route;
  };
  const auto refused = [](Route route) {
    route.type = RouteType::Unreachable;
    return route;
  };
  const struct {
    Route route;
    bool alarms;
  } rows[] = {
      {to("0.0.0.0/1"), true},
      {to("128.0.0.0/1"), true},
      {to("::/1"), true},
      {to("2000::/3"), true},
      {to("8.8.8.0/24"), true},
      {to("198.51.100.0/31"), true},
      {to("2001:db8:5::/127"), true},
      {to("0.0.0.0/4"), true},  // The private 10.0.0.0/8 is a part of it only.
      {via(to("203.0.113.0/24"), "203.0.113.1"), true},
      {to("203.0.113.0/25"), true},
      {to("0.0.0.0/0"), false},
      {to("::/0"), false},
      {to("8.8.8.8/32"), false},
      {to("2001:db8:5::1/128"), false},
      {to("10.0.0.0/8"), false},
      {to("192.168.7.0/24"), false},
      {to("fd00::/8"), false},
      {to("fe80::/64"), false},
      {to("ff00::/8"), false},
      {to("224.0.0.0/4"), false},
      {to("203.0.113.0/24"), false},
      {to("2001:db8:7::/64"), false},
      {to("2001:db8:8::/64"), false},
      {to("2001:db8:8::/63"), true},
      {to("8.8.8.0/24", "eth1"), false},
      {to("8.8.8.0/24", "wg0"), false},
      {table(to("8.8.8.0/24"), 1000), false},
      {refused(to("8.8.8.0/24")), false},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.route.to_string());
    const auto injected = injected_routes(knowing({}), host_with({row.route}));
    EXPECT_EQ(injected.size(), row.alarms ? 1u : 0u);
    const auto known = routes_to_know(host_with({row.route}), knowing({}).devices);
    ASSERT_TRUE(known);
    EXPECT_EQ(known->size(), row.alarms ? 1u : 0u);
  }
}

TEST(InjectedRoutes, AreNotThoseThatStoodBefore) {
  const HostState host = host_with({to("8.8.8.0/24"), to("9.9.9.0/24")});
  const auto known = routes_to_know(host, knowing({}).devices);
  ASSERT_TRUE(known);
  EXPECT_TRUE(injected_routes(knowing(*known), host).empty());
  const HostState later = host_with({to("8.8.8.0/24"), to("9.9.9.0/24"), to("0.0.0.0/1")});
  const auto injected = injected_routes(knowing(*known), later);
  ASSERT_EQ(injected.size(), 1u);
  EXPECT_EQ(injected.front().to_string(), "0.0.0.0/1 dev eth0");
}

TEST(InjectedRoutes, AreNotLookedForWhereNobodyKnowsWhatStoodBefore) {
  const HostState host = host_with({to("0.0.0.0/1")});
  LockPolicy policy = knowing({});
  policy.known_routes.reset();
  EXPECT_TRUE(injected_routes(policy, host).empty());
  policy = knowing({});
  policy.state = LockState::Off;
  EXPECT_TRUE(injected_routes(policy, host).empty());
}

TEST(RoutesToKnow, HaveALimit) {
  HostState host = host_with({});
  const auto add = [&](std::size_t i) {
    host.routes.push_back(to(fmt::format("8.{}.{}.0/24", i / 256, i % 256).c_str()));
  };
  for (std::size_t i = 0; i < LockPolicy::kMaxKnownRoutes; ++i) add(i);
  host.routes.push_back(to("8.0.0.0/24"));  // The same by another gateway counts once.
  const auto devices = knowing({}).devices;
  EXPECT_TRUE(routes_to_know(host, devices));
  add(LockPolicy::kMaxKnownRoutes);
  EXPECT_FALSE(routes_to_know(host, devices));
  EXPECT_EQ(injected_routes(knowing({}), host).size(), LockPolicy::kMaxKnownRoutes);
}

}  // namespace
}  // namespace ginnel::hostnet

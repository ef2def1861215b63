#include "core/hostnet/forwarding.h"

#include <gtest/gtest.h>

namespace ginnel::hostnet {
namespace {

Route advertised_default(std::string interface) {
  return {.destination = net::Prefix::parse("::/0").value(),
          .interface = std::move(interface),
          .origin = RouteOrigin::RouterAdvertisement};
}

TEST(AdvertisedUplinks, AreThoseWithADefaultRouteFromARouterEachOnce) {
  Route by_hand = advertised_default("eth1");
  by_hand.origin = RouteOrigin::Static;
  Route not_default = advertised_default("eth2");
  not_default.destination = net::Prefix::parse("2001:db8::/64").value();
  EXPECT_EQ(advertised_uplinks({advertised_default("eth0"), by_hand, not_default,
                                advertised_default("wlan0"), advertised_default("eth0")}),
            (std::vector<std::string>{"eth0", "wlan0"}));
  EXPECT_TRUE(advertised_uplinks({}).empty());
}

AssignedAddress assigned(std::string interface, const char* text) {
  return {.interface = std::move(interface), .address = net::InterfaceAddress::parse(text).value()};
}

TEST(AdvertisementListeners, HaveALinkLocalAddressAndAreNotTheTunnel) {
  HostState state{.links = {{.name = "lo", .up = true, .loopback = true},
                            {.name = "eth0", .up = true},
                            {.name = "eth1", .up = true},
                            {.name = "down", .up = false},
                            {.name = "wg0", .up = true}},
                  .addresses = {assigned("lo", "fe80::1/64"), assigned("eth0", "fe80::2/64"),
                                assigned("eth0", "fe80::3/64"), assigned("eth1", "2001:db8::1/64"),
                                assigned("eth1", "169.254.1.1/16"), assigned("down", "fe80::4/64"),
                                assigned("gone", "fe80::5/64"), assigned("wg0", "fe80::6/64")}};
  EXPECT_EQ(advertisement_listeners(state, "wg0"), std::vector<std::string>{"eth0"});
  EXPECT_TRUE(can_solicit(state, "eth0"));
  EXPECT_FALSE(can_solicit(state, "eth1"));
  for (AssignedAddress& address : state.addresses) address.usable = false;
  EXPECT_EQ(advertisement_listeners(state, "wg0"), std::vector<std::string>{"eth0"});
  EXPECT_FALSE(can_solicit(state, "eth0"));
}

TEST(AdvertisementListeners, AreBounded) {
  for (const std::size_t count : {kMaxListeners - 1, kMaxListeners, kMaxListeners + 1}) {
    SCOPED_TRACE(count);
    HostState state;
    for (std::size_t i = 0; i < count; ++i) {
      state.links.push_back({.name = "veth" + std::to_string(i), .up = true});
      state.addresses.push_back(assigned(state.links.back().name, "fe80::1/64"));
    }
    EXPECT_EQ(advertisement_listeners(state, "wg0").size(), std::min(count, kMaxListeners));
  }
}

}  // namespace
}  // namespace ginnel::hostnet

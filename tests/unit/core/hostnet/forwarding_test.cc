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

}  // namespace
}  // namespace ginnel::hostnet

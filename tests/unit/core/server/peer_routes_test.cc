#include "core/server/peer_routes.h"

#include <gtest/gtest.h>

namespace ginnel::server {
namespace {

using hostnet::HostState;
using hostnet::Route;

net::Prefix prefix(std::string_view text) { return net::Prefix::parse(text).value(); }

config::ServerConfig with_networks(std::initializer_list<std::string_view> networks) {
  config::ServerConfig config;
  config.subnets = {prefix("10.200.100.0/24"), prefix("fd00:1:2:3::/64")};
  config::ServerPeer peer;
  peer.name = "site";
  peer.source = "peers.d/site.toml";
  peer.lines.allowed_ips = 3;
  peer.allowed_ips = {prefix("10.200.100.2/32"), prefix("fd00:1:2:3::2/128")};
  for (const std::string_view text : networks) peer.allowed_ips.push_back(prefix(text));
  config.peers.push_back(std::move(peer));
  return config;
}

HostState host() {
  return {.routes = {{.destination = prefix("0.0.0.0/0"),
                      .gateway = net::Address::parse("192.0.2.1").value(),
                      .interface = "eth0"},
                     {.destination = prefix("192.0.2.0/24"), .interface = "eth0", .metric = 100},
                     {.destination = prefix("172.16.0.0/12"),
                      .gateway = net::Address::parse("192.0.2.9").value(),
                      .interface = "eth0"},
                     {.destination = prefix("10.200.100.0/24"), .interface = "wg0"},
                     {.destination = prefix("192.168.77.0/24"), .interface = "wg0"}}};
}

TEST(PeerRoutes, AreForWhatIsBehindPeersThatAreEnabled) {
  auto config = with_networks({"192.168.77.0/24", "fd77::/64", "172.16.5.0/24", "192.0.0.0/8"});
  const PeerRoutes routes = peer_routes(config, host(), "wg0");
  EXPECT_EQ(routes.routed, (std::vector{prefix("192.168.77.0/24"), prefix("fd77::/64"),
                                        prefix("172.16.5.0/24"), prefix("192.0.0.0/8")}));
  EXPECT_TRUE(routes.refused.empty());
  config.peers[0].enabled = false;
  EXPECT_TRUE(peer_routes(config, host(), "wg0").routed.empty());
}

TEST(PeerRoutes, TakeNothingFromTheHost) {
  const auto config = with_networks({"192.0.2.0/24", "192.0.2.128/25", "172.16.0.0/12"});
  const PeerRoutes routes = peer_routes(config, host(), "wg0");
  EXPECT_TRUE(routes.routed.empty());
  ASSERT_EQ(routes.refused.size(), 3u);
  EXPECT_EQ(
      routes.refused[0],
      "192.0.2.0/24 of peer \"site\" (peers.d/site.toml:3) is not routed to it: this host has "
      "192.0.2.0/24 dev eth0 metric 100; take one of the two out");
}

TEST(PeerRoutes, AreNeverTheDefaultOneAndNeedTheirFamily) {
  auto config = with_networks({"::/0", "fd77::/64"});
  EXPECT_EQ(peer_routes(config, host(), "wg0").routed, std::vector{prefix("fd77::/64")});
  config.subnets.v6.reset();
  config.peers[0].allowed_ips = {prefix("fd77::/64")};
  EXPECT_TRUE(peer_routes(config, host(), "wg0").routed.empty());
}

}  // namespace
}  // namespace ginnel::server

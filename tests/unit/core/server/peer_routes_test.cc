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
  const PeerRoutes routes = peer_routes(config, host(), "wg0", {});
  EXPECT_EQ(routes.routed, (std::vector{prefix("192.168.77.0/24"), prefix("fd77::/64"),
                                        prefix("172.16.5.0/24"), prefix("192.0.0.0/8")}));
  EXPECT_TRUE(routes.refused.empty());
  config.peers[0].enabled = false;
  EXPECT_TRUE(peer_routes(config, host(), "wg0", {}).routed.empty());
}

TEST(PeerRoutes, TakeNothingFromTheHost) {
  const auto config = with_networks({"192.0.2.0/24", "192.0.2.128/25", "172.16.0.0/12"});
  const PeerRoutes routes = peer_routes(config, host(), "wg0", {});
  EXPECT_TRUE(routes.routed.empty());
  ASSERT_EQ(routes.refused.size(), 3u);
  EXPECT_EQ(
      routes.refused[0],
      "192.0.2.0/24 of peer \"site\" (peers.d/site.toml:3) is not routed to it: this host has "
      "192.0.2.0/24 dev eth0 metric 100; take one of the two out");
}

TEST(PeerRoutes, LeaveOutWhereThePeerItselfIs) {
  auto config = with_networks({"198.51.100.0/29", "192.168.77.0/24"});
  config.peers[0].endpoint = config::HostPort::of(net::Address::parse("198.51.100.2").value(), 1);
  const auto routed = [&](const PeerPlaces& places) {
    std::string text;
    for (const net::Prefix& each : peer_routes(config, host(), "wg0", places).routed) {
      text += each.to_string() + " ";
    }
    return text;
  };
  EXPECT_EQ(routed({}), "198.51.100.4/30 198.51.100.0/31 198.51.100.3/32 192.168.77.0/24 ");
  ASSERT_EQ(own_places(config, {}).size(), 1u);
  EXPECT_EQ(own_places(config, {}).front().network, prefix("198.51.100.0/29"));
  // It is where it was heard of last.
  PeerPlaces places = {{config.peers[0].public_key, net::Address::parse("198.51.100.7").value()}};
  EXPECT_EQ(routed(places), "198.51.100.0/30 198.51.100.4/31 198.51.100.6/32 192.168.77.0/24 ");
  places.begin()->second = net::Address::parse("203.0.113.7").value();
  EXPECT_EQ(routed(places), "198.51.100.0/29 192.168.77.0/24 ");
  EXPECT_TRUE(own_places(config, places).empty());
  places.begin()->second = net::Address::parse("192.168.77.0").value();
  EXPECT_TRUE(routed(places).starts_with("198.51.100.0/29 192.168.77.128/25 "));
  config.peers[0].enabled = false;
  EXPECT_TRUE(own_places(config, places).empty());
}

TEST(PeerRoutes, RefuseAnAddressThatThePeerIsReachedAt) {
  const auto config = with_networks({"198.51.100.7/32"});
  const PeerPlaces places = {
      {config.peers[0].public_key, net::Address::parse("198.51.100.7").value()}};
  const PeerRoutes routes = peer_routes(config, host(), "wg0", places);
  EXPECT_TRUE(routes.routed.empty());
  ASSERT_EQ(routes.refused.size(), 1u);
  EXPECT_EQ(routes.refused[0],
            "198.51.100.7/32 of peer \"site\" (peers.d/site.toml:3) is not routed to it: the peer "
            "itself is reached there; give it another address inside the tunnel");
}

TEST(PeerPlaces, AreThoseOfWhoWasHeardOf) {
  wg::DeviceStatus device;
  device.peers.resize(2);
  device.peers[1].public_key = crypto::PublicKey();
  device.peers[1].endpoint = net::Endpoint::parse("198.51.100.7:51820").value();
  ASSERT_EQ(peer_places(device).size(), 1u);
  EXPECT_EQ(peer_places(device).begin()->second, net::Address::parse("198.51.100.7").value());
}

TEST(PeerRoutes, AreNeverTheDefaultOneAndNeedTheirFamily) {
  auto config = with_networks({"::/0", "fd77::/64"});
  EXPECT_EQ(peer_routes(config, host(), "wg0", {}).routed, std::vector{prefix("fd77::/64")});
  config.subnets.v6.reset();
  config.peers[0].allowed_ips = {prefix("fd77::/64")};
  EXPECT_TRUE(peer_routes(config, host(), "wg0", {}).routed.empty());
}

}  // namespace
}  // namespace ginnel::server

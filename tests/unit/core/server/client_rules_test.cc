#include "core/server/client_rules.h"

#include <gtest/gtest.h>

namespace ginnel::server {
namespace {

net::FlowRules deny(std::string_view text) {
  return {.deny = {net::FlowRule::parse(text).value()}};
}

config::ServerPeer peer(std::string_view address, net::FlowRules rules) {
  config::ServerPeer peer;
  peer.allowed_ips = {net::Prefix::parse(address).value()};
  peer.rules = std::move(rules);
  return peer;
}

TEST(ClientFirewallOfAServer, NamesThoseWithRulesThatAreThere) {
  config::ServerConfig config;
  config.rules = deny("private");
  config.peers.push_back(peer("10.0.0.2/32", deny("any tcp")));
  config.peers.push_back(peer("10.0.0.3/32", {}));
  config.peers.push_back(peer("10.0.0.4/32", deny("any udp")));
  config.peers.back().enabled = false;

  const hostnet::ClientFirewall firewall = client_firewall(config);

  EXPECT_EQ(firewall.everyone, deny("private"));
  ASSERT_EQ(firewall.clients.size(), 1u);
  EXPECT_EQ(firewall.clients[0].sources, config.peers[0].allowed_ips);
  EXPECT_EQ(firewall.clients[0].rules, deny("any tcp"));
  EXPECT_TRUE(firewall.dns.empty());
  EXPECT_TRUE(client_firewall({}).is_empty());
}

TEST(ClientFirewallOfAServer, LeavesDnsOpenWhereTheServerAnswers) {
  config::ServerConfig config;
  config.rules = deny("any");
  config.dns_builtin = true;
  config.own = {net::Address::parse("10.0.0.1").value(), net::Address::parse("fd00::1").value()};
  EXPECT_EQ(client_firewall(config).dns, (std::vector{config.own.v4, *config.own.v6}));
  config.own.v6.reset();
  EXPECT_EQ(client_firewall(config).dns, std::vector{config.own.v4});
}

}  // namespace
}  // namespace ginnel::server

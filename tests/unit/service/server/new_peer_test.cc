#include "service/server/new_peer.h"

#include <gtest/gtest.h>

namespace ginnel::server {
namespace {

constexpr char kKeyA[] = "YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWE=";

TEST(ParseNewPeer, TakesWhatIsRight) {
  const auto peer = parse_new_peer({.name = "anna",
                                    .public_key = kKeyA,
                                    .preshared_key = kKeyA,
                                    .addresses = {{"10.200.100.7", "fd00::7"}},
                                    .allowed_ips = {{"192.168.0.0/24"}},
                                    .allow = {{"any tcp 443", "10.0.0.0/8"}},
                                    .deny = {{"private"}},
                                    .endpoint = "home.example.org:4500",
                                    .persistent_keepalive = "off"});
  ASSERT_TRUE(peer) << peer.error().message;
  EXPECT_EQ(peer->public_key->to_base64(), kKeyA);
  EXPECT_FALSE(peer->preshared_key->is_zero());
  EXPECT_EQ(peer->addresses.size(), 2u);
  EXPECT_EQ(peer->allowed_ips[0].to_string(), "192.168.0.0/24");
  EXPECT_EQ(peer->rules.allow->size(), 2u);
  EXPECT_EQ(peer->rules.deny[0].to_string(), "private");
  EXPECT_EQ(peer->endpoint->port, 4500);
  EXPECT_EQ(peer->persistent_keepalive_seconds, 0);
  EXPECT_TRUE(parse_new_peer({.name = "bert"})->make_preshared_key);
  EXPECT_TRUE(parse_new_peer({.name = "bert"})->rules.is_empty());
}

TEST(ParseNewPeer, NamesTheFlagThatIsWrong) {
  struct Row {
    NewPeerView view;
    std::string_view flag;
  };
  const Row rows[] = {
      {{.name = "a", .public_key = "short"}, "--public-key: "},
      {{.name = "a", .preshared_key = "short"}, "--preshared-key: "},
      {{.name = "a", .addresses = {{"10.0.0.1/24"}}}, "--address: "},
      {{.name = "a", .allowed_ips = {{"10.0.0.1/24"}}}, "--allowed-ips: "},
      {{.name = "a", .allow = {{"any ssh"}}}, "--allow: \"ssh\" is no protocol"},
      {{.name = "a", .deny = {{"any tcp 0"}}}, "--deny: \"0\" is no port"},
      {{.name = "a", .deny = std::vector<std::string>(net::FlowRules::kMaxRules + 1, "any")},
       "--deny: over 256 rules"},
      {{.name = "a", .endpoint = "example.org"}, "--endpoint: \"example.org\" has no port"},
      {{.name = "a", .endpoint = ":::"}, "--endpoint: "},
      {{.name = "a", .persistent_keepalive = "65536"}, "--persistent-keepalive: "},
      {{.name = "a", .persistent_keepalive = "-1"}, "--persistent-keepalive: "},
  };
  for (const Row& row : rows) {
    const auto peer = parse_new_peer(row.view);
    ASSERT_FALSE(peer) << row.flag;
    EXPECT_TRUE(peer.error().message.starts_with(row.flag)) << peer.error().message;
  }
}

TEST(ParseRuleChange, TellsALeftOutListFromAnEmptyOne) {
  const auto change = parse_rule_change({.allow = {{"any tcp 443"}}, .deny = {}});
  ASSERT_TRUE(change) << change.error().message;
  EXPECT_EQ(change->allow->size(), 1u);
  EXPECT_FALSE(change->deny);
  EXPECT_TRUE(parse_rule_change({.deny = std::vector<std::string>()})->deny->empty());

  const auto wrong = parse_rule_change({.allow = {{"any ssh"}}});
  ASSERT_FALSE(wrong);
  EXPECT_TRUE(wrong.error().message.starts_with("--allow: ")) << wrong.error().message;
}

}  // namespace
}  // namespace ginnel::server

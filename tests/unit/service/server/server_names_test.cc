#include <gtest/gtest.h>

#include "server_fixture.h"

namespace ginnel::server {
namespace {

using Addresses = std::vector<net::Address>;
using Names = std::vector<std::string>;

Addresses addresses(std::initializer_list<std::string_view> texts) {
  Addresses list;
  for (const std::string_view text : texts) list.push_back(net::Address::parse(text).value());
  return list;
}

class ServerNamesTest : public ServerFixture {
 protected:
  std::string endpoint_of(std::string_view peer_key) const {
    const auto& endpoint = device.peers.at(key(peer_key)).endpoint;
    return endpoint ? endpoint->to_string() : "";
  }
  std::vector<std::string> codes(Server& server) {
    std::vector<std::string> list;
    for (const Finding& finding : server.view().findings) list.push_back(finding.code);
    return list;
  }
};

TEST_F(ServerNamesTest, CallsAPeerOnceItsNameIsKnown) {
  write_peer("anna", kKeyA, "10.200.100.2", "endpoint = \"vpn.example.org:4500\"\n");
  write_peer("bert", kKeyB, "10.200.100.3", "endpoint = \"192.0.2.9:4500\"\n");
  const auto server = start();
  EXPECT_EQ(endpoint_of(kKeyA), "");
  EXPECT_EQ(device.peers.at(key(kKeyA)).persistent_keepalive_seconds, 0);
  EXPECT_EQ(endpoint_of(kKeyB), "192.0.2.9:4500");
  EXPECT_EQ(device.peers.at(key(kKeyB)).persistent_keepalive_seconds, 25);

  EXPECT_EQ(server->take_due_lookups(), Names{"vpn.example.org"});
  EXPECT_EQ(server->take_due_lookups(), Names{});
  EXPECT_EQ(server->next_lookup(), kNever);
  server->handle_lookup("vpn.example.org", addresses({"198.51.100.1"}));
  EXPECT_EQ(endpoint_of(kKeyA), "198.51.100.1:4500");
  EXPECT_EQ(device.peers.at(key(kKeyA)).persistent_keepalive_seconds, 25);
  EXPECT_EQ(device.touched, std::set{key(kKeyA)});
  EXPECT_NE(server->next_lookup(), kNever);
  EXPECT_EQ(codes(*server), Names{});
}

TEST_F(ServerNamesTest, RunsWithANameThatNobodyKnowsAndSaysSo) {
  write_peer("anna", kKeyA, "10.200.100.2", "endpoint = \"vpn.example.org:4500\"\n");
  const auto server = start();
  server->take_due_lookups();
  server->handle_lookup("vpn.example.org", fail(ErrorCode::NotFound, "look up: not known"));
  EXPECT_EQ(endpoint_of(kKeyA), "");
  EXPECT_EQ(codes(*server), Names{"endpoint-unknown"});
  EXPECT_EQ(server->view().state, ServerState::Online);
  EXPECT_NE(server->view().findings[0].message.find("vpn.example.org"), std::string::npos);
  EXPECT_NE(server->next_lookup(), kNever);

  // When the way out changes, it is tried at once.
  host.state.links.push_back({.index = 3, .name = "wwan0", .up = true, .running = true});
  host.state.routes = {
      {.destination = net::Prefix::parse("0.0.0.0/0").value(), .interface = "wwan0"}};
  server->follow_host();
  EXPECT_EQ(server->take_due_lookups(), Names{"vpn.example.org"});
  server->handle_lookup("vpn.example.org", addresses({"198.51.100.1"}));
  EXPECT_EQ(endpoint_of(kKeyA), "198.51.100.1:4500");
  EXPECT_EQ(codes(*server), Names{});
}

TEST_F(ServerNamesTest, SaysAFewOfManyAndCountsTheRest) {
  constexpr std::size_t kShown = 8;
  for (const std::size_t count : {kShown, kShown + 1}) {
    SCOPED_TRACE(count);
    for (std::size_t i = 0; i < count; ++i) {
      const auto secret = crypto::PrivateKey::generate(rng);
      write_peer("p" + std::to_string(i), secret.public_key().to_base64(),
                 "10.200.100." + std::to_string(10 + i),
                 "endpoint = \"h" + std::to_string(i) + ".example.org:1\"\n");
    }
    device.peers.clear();
    const auto server = start();
    for (Names due = server->take_due_lookups(); !due.empty(); due = server->take_due_lookups()) {
      for (const std::string& name : due) {
        server->handle_lookup(name, fail(ErrorCode::NotFound, "not known"));
      }
    }
    const auto findings = server->view().findings;
    EXPECT_EQ(findings.size(), count > kShown ? kShown + 1 : kShown);
    EXPECT_EQ(findings.back().message.find("1 more names") == 0, count > kShown);
  }
}

TEST_F(ServerNamesTest, LeavesAPeerThatAnswersWhereItIs) {
  write_peer("anna", kKeyA, "10.200.100.2", "endpoint = \"vpn.example.org:4500\"\n");
  const auto server = start();
  wg::PeerStatus& anna = device.peers.at(key(kKeyA));
  anna.endpoint = net::Endpoint::parse("203.0.113.9:4500").value();
  anna.last_handshake = clock.now().unix;
  server->take_due_lookups();
  server->handle_lookup("vpn.example.org", addresses({"198.51.100.1"}));
  EXPECT_EQ(endpoint_of(kKeyA), "203.0.113.9:4500");

  anna.last_handshake = clock.now().unix - 300s;
  server->handle_lookup("vpn.example.org", addresses({"198.51.100.1"}));
  EXPECT_EQ(endpoint_of(kKeyA), "198.51.100.1:4500");
}

TEST_F(ServerNamesTest, FollowsThePeersThatThereAre) {
  const auto server = start();
  EXPECT_EQ(server->take_due_lookups(), Names{});
  write_peer("anna", kKeyA, "10.200.100.2", "endpoint = \"vpn.example.org:4500\"\n");
  ASSERT_TRUE(server->reload());
  EXPECT_EQ(server->take_due_lookups(), Names{"vpn.example.org"});
  server->handle_lookup("vpn.example.org", addresses({"198.51.100.1"}));

  // A name that is known is used at once.
  write_peer("bert", kKeyB, "10.200.100.3", "endpoint = \"vpn.example.org:1\"\n");
  ASSERT_TRUE(server->reload());
  EXPECT_EQ(endpoint_of(kKeyB), "198.51.100.1:1");

  ASSERT_TRUE(server->remove_peer("anna"));
  ASSERT_TRUE(server->set_peer_enabled("bert", false));
  EXPECT_EQ(server->next_lookup(), kNever);
}

}  // namespace
}  // namespace ginnel::server

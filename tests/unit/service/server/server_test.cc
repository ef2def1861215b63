#include "service/server/server.h"

#include <gtest/gtest.h>

#include "server_fixture.h"

namespace ginnel::server {
namespace {

class ServerTest : public ServerFixture {};

TEST_F(ServerTest, ConfiguresDeviceAndHost) {
  write_peer("anna", kKeyA, "10.200.100.2");
  const auto server = start();

  EXPECT_EQ(device.listen_port, 51820);
  EXPECT_FALSE(device.private_key.is_zero());
  ASSERT_TRUE(device.peers.contains(key(kKeyA)));
  ASSERT_TRUE(host.applied);
  EXPECT_EQ(host.applied->network.interface, "wg7");
  EXPECT_EQ(host.applied->network.uplink4, "eth0");
  EXPECT_EQ(host.applied->network.uplink6, "");
  EXPECT_EQ(host.applied->network.listen_port, 51820);
  ASSERT_EQ(host.applied->network.addresses.size(), 2u);
  EXPECT_EQ(host.applied->network.addresses[0].to_string(), "10.200.100.1/24");
  EXPECT_EQ(host.applied->network.addresses[1].to_string(), "fd00:1:2:3::1/64");
  EXPECT_EQ(host.applied->network.mtu, 1420u);
}

TEST_F(ServerTest, LeavesTheHostAsItWasWhenItEnds) {
  {
    const auto server = start();
  }
  EXPECT_FALSE(host.applied);
}

TEST_F(ServerTest, DoesNotStartOnACollisionAndChangesNothing) {
  host.state.routes.push_back(
      {.destination = net::Prefix::parse("10.200.0.0/16").value(), .interface = "eth1"});
  const auto server = try_start();
  ASSERT_FALSE(server);
  EXPECT_NE(server.error().message.find("10.200.0.0/16 dev eth1"), std::string::npos);
  EXPECT_EQ(host.changes, 0);
  EXPECT_EQ(device.changes, 0);
}

TEST_F(ServerTest, DoesNotStartWithItsOwnKeyAsAPeer) {
  directory.write("server.key", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE=");
  const auto own = crypto::PrivateKey::parse("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE=")
                       ->public_key()
                       .to_base64();
  write_peer("anna", own, "10.200.100.2");
  const auto server = try_start();
  ASSERT_FALSE(server);
  EXPECT_NE(server.error().message.find("the server's own"), std::string::npos);
  EXPECT_EQ(device.changes, 0);
}

TEST_F(ServerTest, UndoesTheHostWhenItCannotStart) {
  host.refuse_next = true;
  EXPECT_FALSE(try_start());
  EXPECT_FALSE(host.applied);
}

TEST_F(ServerTest, AddsAPeerWithoutTouchingTheOthers) {
  write_peer("anna", kKeyA, "10.200.100.2");
  const auto server = start();

  const auto added = server->add_peer({.name = "bert"});
  ASSERT_TRUE(added) << added.error().message;
  EXPECT_EQ(added->addresses[0].to_string(), "10.200.100.3");
  EXPECT_TRUE(added->has_private_key);
  EXPECT_EQ(device.touched, std::set{added->public_key});
  EXPECT_TRUE(device.peers.contains(added->public_key));
  EXPECT_TRUE(directory.has("peers.d/bert.toml"));
}

TEST_F(ServerTest, TakesAnAdditionBackWhenTheDeviceRefusesIt) {
  const auto server = start();
  device.refuse_next = true;
  EXPECT_FALSE(server->add_peer({.name = "bert"}));
  EXPECT_FALSE(directory.has("peers.d/bert.toml"));
  EXPECT_TRUE(server->peers().empty());
}

TEST_F(ServerTest, DisablesEnablesAndRemovesAPeer) {
  write_peer("anna", kKeyA, "10.200.100.2");
  write_peer("bert", kKeyB, "10.200.100.3");
  const auto server = start();

  ASSERT_TRUE(server->set_peer_enabled("anna", false));
  EXPECT_FALSE(device.peers.contains(key(kKeyA)));
  EXPECT_EQ(device.touched, std::set{key(kKeyA)});
  EXPECT_FALSE(server->peer("anna")->enabled);

  ASSERT_TRUE(server->set_peer_enabled("anna", true));
  EXPECT_TRUE(device.peers.contains(key(kKeyA)));

  const int changes = device.changes;
  const auto again = server->set_peer_enabled("anna", true);
  ASSERT_TRUE(again);
  EXPECT_TRUE(again->is_empty());
  EXPECT_TRUE(device.changes == changes || device.touched.empty());

  ASSERT_TRUE(server->remove_peer("anna"));
  EXPECT_FALSE(device.peers.contains(key(kKeyA)));
  EXPECT_TRUE(device.peers.contains(key(kKeyB)));
  EXPECT_FALSE(server->peer("anna"));
}

TEST_F(ServerTest, ForgetsAKeyWithoutTouchingTheDevice) {
  const auto server = start();
  ASSERT_TRUE(server->add_peer({.name = "bert"}));
  ASSERT_TRUE(server->forget_peer_key("bert"));
  EXPECT_TRUE(device.touched.empty());
  EXPECT_FALSE(server->peer("bert")->has_private_key);
}

TEST_F(ServerTest, ReloadTakesOverWhatChangedOnly) {
  write_peer("anna", kKeyA, "10.200.100.2");
  const auto server = start();
  write_peer("bert", kKeyB, "10.200.100.3");
  directory.write("server.toml", "[server]\nclient_to_client = true\nlisten_addr = \":4500\"\n");

  const auto change = server->reload();
  ASSERT_TRUE(change) << change.error().message;
  EXPECT_EQ(change->added, 1u);
  EXPECT_EQ(change->changed, 0u);
  EXPECT_EQ(change->removed, 0u);
  EXPECT_EQ(change->settings, (std::vector<std::string>{"listen_addr", "client_to_client"}));
  EXPECT_EQ(device.touched, std::set{key(kKeyB)});
  EXPECT_EQ(device.listen_port, 4500);
  EXPECT_TRUE(host.applied->network.client_to_client);
  EXPECT_EQ(host.applied->network.listen_port, 4500);

  const auto nothing = server->reload();
  ASSERT_TRUE(nothing);
  EXPECT_TRUE(nothing->is_empty());
}

TEST_F(ServerTest, ReloadTakesOverRulesWithoutTouchingTheDevice) {
  write_peer("anna", kKeyA, "10.200.100.2");
  const auto server = start();
  EXPECT_TRUE(host.applied->network.firewall.is_empty());
  write_peer("anna", kKeyA, "10.200.100.2", "allow = \"any tcp 443\"\n");
  directory.write("server.toml", "[server]\ndeny = \"private\"\nadmit = \"10.1.0.0/16\"\n");

  const auto change = server->reload();
  ASSERT_TRUE(change) << change.error().message;
  EXPECT_EQ(change->changed, 1u);
  EXPECT_EQ(change->settings, (std::vector<std::string>{"deny", "admit"}));
  EXPECT_TRUE(device.touched.empty());
  const hostnet::ClientFirewall& firewall = host.applied->network.firewall;
  EXPECT_EQ(firewall.everyone.deny[0].to_string(), "private");
  EXPECT_EQ(host.applied->network.admitted[0].to_string(), "10.1.0.0/16");
  ASSERT_EQ(firewall.clients.size(), 1u);
  EXPECT_EQ(firewall.clients[0].sources,
            std::vector{net::Prefix::parse("10.200.100.2/32").value()});
  EXPECT_EQ((*firewall.clients[0].rules.allow)[0].to_string(), "any tcp 443");
}

// Who sends before his rules hold could open what they deny.
TEST_F(ServerTest, NobodySendsWhileHisRulesAreNotThere) {
  write_peer("anna", kKeyA, "10.200.100.2", "deny = \"any\"\n");
  std::vector<bool> sends;
  host.on_apply = [&] { sends.push_back(device.peers.contains(key(kKeyA))); };
  const auto server = start();
  ASSERT_TRUE(server->set_peer_enabled("anna", false));
  ASSERT_TRUE(server->set_peer_enabled("anna", true));
  ASSERT_TRUE(server->remove_peer("anna"));
  EXPECT_EQ(sends, (std::vector<bool>{false, false, false, false}));
  EXPECT_FALSE(device.peers.contains(key(kKeyA)));
}

TEST_F(ServerTest, ReloadOfAFileThatIsWrongChangesNothing) {
  write_peer("anna", kKeyA, "10.200.100.2");
  const auto server = start();
  write_peer("bert", kKeyB, "10.200.100.3");
  directory.write("server.toml", "[server]\nmtuu = 1400\n");
  const int changes = device.changes;

  const auto change = server->reload();
  ASSERT_FALSE(change);
  EXPECT_TRUE(change.error().message.starts_with(directory.file("server.toml") + ":2: mtuu"))
      << change.error().message;
  EXPECT_EQ(device.changes, changes);
  EXPECT_EQ(server->peers().size(), 1u);
}

TEST_F(ServerTest, ReloadThatTheHostRefusesTakesTheDeviceBack) {
  write_peer("anna", kKeyA, "10.200.100.2");
  const auto server = start();
  write_peer("bert", kKeyB, "10.200.100.3");
  directory.write("server.toml", "[server]\nlisten_addr = \":4500\"\n");
  host.refuse_next = true;

  EXPECT_FALSE(server->reload());
  EXPECT_EQ(device.listen_port, 51820);
  EXPECT_FALSE(device.peers.contains(key(kKeyB)));
  EXPECT_EQ(server->peers().size(), 1u);
}

TEST_F(ServerTest, ReloadRefusesWhatNeedsARestart) {
  const auto server = start();
  for (const std::string_view setting :
       {"interface = \"wg9\"", "listen_addr = \"198.51.100.7:51820\"",
        "metrics_listen = \"127.0.0.1:9999\""}) {
    SCOPED_TRACE(setting);
    directory.write("server.toml", "[server]\n" + std::string(setting) + "\n");
    const auto change = server->reload();
    ASSERT_FALSE(change);
    EXPECT_EQ(change.error().code, ErrorCode::Conflict);
    EXPECT_NE(change.error().message.find("restart"), std::string::npos);
  }
}

TEST_F(ServerTest, ReloadNeverMakesANewKey) {
  const auto server = start();
  std::filesystem::remove(directory.file("server.key"));
  const auto change = server->reload();
  ASSERT_FALSE(change);
  EXPECT_NE(change.error().message.find("is gone"), std::string::npos);
}

TEST_F(ServerTest, ReloadTakesOverAnotherKey) {
  const auto server = start();
  directory.write("server.key", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE=");
  const auto change = server->reload();
  ASSERT_TRUE(change);
  EXPECT_EQ(change->settings, std::vector<std::string>{"private_key"});
  EXPECT_EQ(server->view().public_key, device.private_key.public_key());
}

TEST_F(ServerTest, FollowsTheUplink) {
  const auto server = start();
  EXPECT_EQ(server->view().uplink_ipv4.value, "eth0");
  EXPECT_EQ(server->view().state, ServerState::Online);

  host.state.routes.clear();
  server->follow_host();
  EXPECT_EQ(host.applied->network.uplink4, "");
  EXPECT_EQ(host.applied->network.uplink6, "");
  EXPECT_EQ(server->view().uplink_ipv4.value, std::nullopt);
  EXPECT_EQ(server->view().state, ServerState::NoUplink);

  host.state.links.push_back({.index = 3, .name = "wwan0", .up = true, .running = true});
  host.state.routes = {
      {.destination = net::Prefix::parse("0.0.0.0/0").value(), .interface = "wwan0"}};
  server->follow_host();
  EXPECT_EQ(host.applied->network.uplink4, "wwan0");
  EXPECT_EQ(server->view().state, ServerState::Online);
}

TEST_F(ServerTest, KeepsANamedUplinkThatGoesAway) {
  source.flags.outbound_interface = "eth0";
  const auto server = start();
  host.state.links.clear();
  host.state.routes = {
      {.destination = net::Prefix::parse("0.0.0.0/0").value(), .interface = "wwan0"}};
  server->follow_host();
  EXPECT_EQ(host.applied->network.uplink4, "eth0");
  EXPECT_TRUE(host.applied->network.only_uplink);
  EXPECT_EQ(server->view().state, ServerState::NoUplink);
}

TEST_F(ServerTest, RoutesNetworksBehindItsClientsUnlessTheHostHasThem) {
  write_peer("anna", kKeyA, "10.200.100.2",
             "allowed_ips = [\"192.168.77.0/24\", \"198.51.100.0/24\"]\n");
  host.state.routes.push_back(
      {.destination = net::Prefix::parse("198.51.100.0/24").value(), .interface = "eth0"});
  const auto server = start();
  EXPECT_EQ(host.applied->network.routed,
            std::vector{net::Prefix::parse("192.168.77.0/24").value()});
  ASSERT_EQ(server->view().findings.size(), 1u);
  EXPECT_EQ(server->view().findings[0].code, "route-taken");
  EXPECT_EQ(server->view().state, ServerState::Online);

  host.state.routes.pop_back();
  server->follow_host();
  EXPECT_EQ(host.applied->network.routed.size(), 2u);
  EXPECT_TRUE(server->view().findings.empty());
}

TEST_F(ServerTest, SaysThatAFirewallIsInTheWay) {
  host.obstacles = {{"firewall-blocks-overlay", "chain FORWARD drops", "nft add rule ..."}};
  const auto server = start();
  const ServerView view = server->view();
  EXPECT_EQ(view.state, ServerState::Blocked);
  EXPECT_EQ(view.findings, host.obstacles);

  host.obstacles.clear();
  server->follow_host();
  EXPECT_EQ(server->view().state, ServerState::Online);
}

TEST_F(ServerTest, TellsWhatPeersDid) {
  write_peer("anna", kKeyA, "10.200.100.2");
  write_peer("bert", kKeyB, "10.200.100.3", "enabled = false\n");
  const auto server = start();
  wg::PeerStatus& anna = device.peers.at(key(kKeyA));
  anna.rx_bytes = 1000;
  anna.tx_bytes = 2000;
  anna.last_handshake = clock.now().unix - 10s;
  anna.endpoint = net::Endpoint::parse("203.0.113.9:4500").value();
  anna.counters = {{"handshake_replayed", 3}};

  const auto view = server->peer("anna");
  ASSERT_TRUE(view);
  EXPECT_EQ(view->rx_bytes, 1000u);
  EXPECT_EQ(view->tx_bytes, 2000u);
  EXPECT_EQ(view->last_handshake.value, anna.last_handshake);
  EXPECT_EQ(view->endpoint.value->to_string(), "203.0.113.9:4500");
  EXPECT_EQ(view->handshake_failures.at("replayed"), 3u);
  EXPECT_EQ(server->peer("bert")->last_handshake.value, std::nullopt);

  const ServerView whole = server->view();
  EXPECT_EQ(whole.peers, 2u);
  EXPECT_EQ(whole.peers_enabled, 1u);
  EXPECT_EQ(whole.peers_active, 1u);
  EXPECT_EQ(whole.rx_bytes, 1000u);
  EXPECT_EQ(whole.drops, (std::map<std::string, std::uint64_t>{{"bad_length", 3}}));
}

TEST_F(ServerTest, TotalsSurviveARestart) {
  write_peer("anna", kKeyA, "10.200.100.2");
  {
    const auto server = start();
    device.peers.at(key(kKeyA)).rx_bytes = 1000;
  }
  device.peers.clear();
  const auto server = start();
  device.peers.at(key(kKeyA)).rx_bytes = 10;
  EXPECT_EQ(server->peer("anna")->rx_bytes, 1010u);
}

TEST_F(ServerTest, GivesAClientItsFile) {
  const auto server = start();
  ASSERT_TRUE(server->add_peer({.name = "anna"}));
  const auto file = server->client_file("anna");
  ASSERT_TRUE(file) << file.error().message;
  EXPECT_NE(file->find("Endpoint = 198.51.100.7:51820\n"), std::string::npos) << *file;
  EXPECT_NE(file->find("PublicKey = " + device.private_key.public_key().to_base64() + "\n"),
            std::string::npos);
  EXPECT_NE(file->find("Address = 10.200.100.2/32, fd00:1:2:3::2/128\n"), std::string::npos);
  EXPECT_EQ(server->client_file("bert").error().code, ErrorCode::NotFound);
}

TEST_F(ServerTest, NoViewHoldsAPrivateKey) {
  const auto server = start();
  ASSERT_TRUE(server->add_peer({.name = "anna"}));
  const auto config = load_server_config(source);
  const std::string secret = config->peers[0].private_key->expose_as_base64();
  const std::string psk = config->peers[0].preshared_key->expose_as_base64();
  const std::string own = device.private_key.expose_as_base64();
  for (const std::string& text :
       {http::to_json_text(server->view()), http::to_json_text(*server->peer("anna"))}) {
    for (const std::string& hidden : {secret, psk, own}) {
      EXPECT_EQ(text.find(hidden), std::string::npos);
    }
  }
}

}  // namespace
}  // namespace ginnel::server

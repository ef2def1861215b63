#include "service/server/peer_edits.h"

#include <gtest/gtest.h>

#include "support/seeded_rng.h"
#include "temporary_directory.h"

namespace ginnel::server {
namespace {

constexpr UnixTime kNow{std::chrono::seconds(1'795'000'000)};
constexpr char kKeyA[] = "YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWE=";
constexpr char kKeyB[] = "YmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJiYmI=";

class PeerEditsTest : public testing::Test {
 protected:
  PeerEditsTest() {
    source.paths = *choose_paths({.state_dir = directory.path(),
                                  .environment = [](const std::string&) { return std::nullopt; }});
    source.generated_subnet6 = net::Prefix::parse("fd00:1:2:3::/64").value();
  }

  config::ServerConfig config() const { return load_server_config(source).value(); }

  // Carries an edit out, after the check that a server makes.
  std::string carry_out(const std::function<Result<FileEdit>(const PeerEdits&)>& make_edit) const {
    const config::ServerConfig before = config();
    const auto edit = make_edit(PeerEdits(source.paths, before));
    if (!edit) return edit.error().message;
    if (const auto next = load_server_config(source, &*edit); !next) return next.error().message;
    return apply(*edit) ? "" : "not written";
  }
  std::string add(NewPeer peer) {
    return carry_out([&](const PeerEdits& edits) { return edits.add(std::move(peer), rng, kNow); });
  }

  TemporaryDirectory directory;
  ServerSource source;
  test::SeededRng rng{1};
};

std::string addresses_of(const config::ServerPeer& peer) {
  std::string text;
  for (const net::Address& address : peer.addresses) {
    text += (text.empty() ? "" : " ") + address.to_string();
  }
  return text;
}

TEST_F(PeerEditsTest, MakesAPeerWithKeysAndTheNextFreeAddresses) {
  EXPECT_EQ(add({.name = "anna"}), "");
  EXPECT_EQ(add({.name = "bert"}), "");

  const config::ServerConfig after = config();
  ASSERT_EQ(after.peers.size(), 2u);
  const config::ServerPeer& anna = after.peers[0];
  EXPECT_EQ(addresses_of(anna), "10.200.100.2 fd00:1:2:3::2");
  EXPECT_EQ(anna.private_key->public_key(), anna.public_key);
  EXPECT_TRUE(anna.preshared_key && !anna.preshared_key->is_zero());
  EXPECT_EQ(anna.created, "2026-11-18T11:06:40Z");
  EXPECT_EQ(addresses_of(after.peers[1]), "10.200.100.3 fd00:1:2:3::3");
  EXPECT_NE(after.peers[1].public_key, anna.public_key);
}

TEST_F(PeerEditsTest, NeverSeesAPrivateKeyOfAPeerWithItsOwn) {
  NewPeer peer{.name = "anna", .public_key = crypto::PublicKey::parse(kKeyA).value()};
  EXPECT_EQ(add(std::move(peer)), "");

  const config::ServerConfig after = config();
  EXPECT_EQ(after.peers[0].public_key.to_base64(), kKeyA);
  EXPECT_FALSE(after.peers[0].private_key);
  EXPECT_FALSE(after.peers[0].preshared_key);
}

TEST_F(PeerEditsTest, TakesWhatWasAskedFor) {
  NewPeer peer{.name = "anna",
               .make_preshared_key = false,
               .addresses = {net::Address::parse("10.200.100.77").value()},
               .allowed_ips = {net::Prefix::parse("192.168.7.0/24").value()},
               .rules = {.deny = {net::FlowRule::parse("private").value()}},
               .endpoint = config::HostPort{"home.example.org", 4500},
               .persistent_keepalive_seconds = 0};
  EXPECT_EQ(add(std::move(peer)), "");

  const config::ServerConfig after = config();
  const config::ServerPeer& anna = after.peers[0];
  EXPECT_FALSE(anna.preshared_key);
  EXPECT_EQ(addresses_of(anna), "10.200.100.77");
  ASSERT_EQ(anna.allowed_ips.size(), 2u);
  EXPECT_EQ(anna.allowed_ips[0].to_string(), "192.168.7.0/24");
  EXPECT_EQ(anna.allowed_ips[1].to_string(), "10.200.100.77/32");
  EXPECT_EQ(anna.rules.deny[0].to_string(), "private");
  EXPECT_EQ(anna.endpoint->host, "home.example.org");
  EXPECT_EQ(anna.persistent_keepalive_seconds, 0);
}

TEST_F(PeerEditsTest, RefusesWhatIsTakenOrWrong) {
  EXPECT_EQ(add({.name = "anna", .public_key = crypto::PublicKey::parse(kKeyA).value()}), "");
  directory.write("peers.d/.hidden", "");
  struct Row {
    NewPeer peer;
    std::string_view named;
  };
  Row rows[] = {
      {{.name = "anna"}, "peer \"anna\""},
      {{.name = "../anna"}, "\"../anna\" cannot be a peer's name"},
      {{.name = ""}, "cannot be a peer's name"},
      {{.name = "bert", .addresses = {net::Address::parse("10.200.100.2").value()}},
       "10.200.100.2 is taken already"},
      {{.name = "bert", .addresses = {net::Address::parse("10.200.100.1").value()}},
       "10.200.100.1 is taken already"},
      {{.name = "bert", .addresses = {net::Address::parse("10.9.9.9").value()}},
       "10.9.9.9 is not in 10.200.100.0/24 and fd00:1:2:3::/64"},
      {{.name = "bert", .public_key = crypto::PublicKey::parse(kKeyA).value()},
       "the same public key"},
      {{.name = "bert", .allowed_ips = {net::Prefix::parse("10.200.100.0/28").value()}},
       "10.200.100"},
  };
  for (Row& row : rows) {
    SCOPED_TRACE(row.named);
    const std::string error = add(std::move(row.peer));
    EXPECT_NE(error.find(row.named), std::string::npos) << error;
    EXPECT_EQ(config().peers.size(), 1u);
  }
}

TEST_F(PeerEditsTest, SaysThatASubnetIsFull) {
  directory.write("server.toml", "[server]\nsubnet = \"10.9.0.0/30\"\n");
  EXPECT_EQ(add({.name = "anna"}), "");
  const std::string error = add({.name = "bert"});
  EXPECT_NE(error.find("10.9.0.0/30"), std::string::npos) << error;
  EXPECT_NE(error.find("--subnet"), std::string::npos) << error;
}

TEST_F(PeerEditsTest, KeepsTheAddressOfADisabledPeer) {
  EXPECT_EQ(add({.name = "anna"}), "");
  EXPECT_EQ(carry_out([](const PeerEdits& e) { return e.set_enabled("anna", false); }), "");
  EXPECT_EQ(add({.name = "bert"}), "");
  EXPECT_EQ(addresses_of(*config().find_peer("bert")), "10.200.100.3 fd00:1:2:3::3");
  EXPECT_FALSE(config().find_peer("anna")->enabled);
}

TEST_F(PeerEditsTest, ForgetsAKeyAndNothingElse) {
  EXPECT_EQ(add({.name = "anna"}), "");
  const std::string key = config().find_peer("anna")->public_key.to_base64();
  const std::string secret = config().find_peer("anna")->private_key->expose_as_base64();
  EXPECT_EQ(carry_out([](const PeerEdits& e) { return e.forget_key("anna"); }), "");
  EXPECT_EQ(config().find_peer("anna")->public_key.to_base64(), key);
  EXPECT_FALSE(config().find_peer("anna")->private_key);
  EXPECT_EQ(directory.read("peers.d/anna.toml").find(secret), std::string::npos);
}

TEST_F(PeerEditsTest, KeepsCommentsInWhatAPersonWrote) {
  const std::string before = std::string("# The one in Leeds.\npublic_key = \"") + kKeyA +
                             "\" # hers\naddresses = [\"10.200.100.2\"]\n";
  directory.write("peers.d/anna.toml", before);
  EXPECT_EQ(carry_out([](const PeerEdits& e) { return e.set_enabled("anna", false); }), "");
  EXPECT_EQ(directory.read("peers.d/anna.toml"), before + "enabled = false\n");
}

TEST_F(PeerEditsTest, EditsThePeersOfTheServersFileInPlace) {
  directory.write("server.toml", std::string("[server]\nmtu = 1400\n\n# first\n[[peer]]\nname = "
                                             "\"anna\"\npublic_key = \"") +
                                     kKeyA +
                                     "\"\nallowed_ips = [\"10.200.100.2/32\"]\n\n[[peer]]\n" +
                                     "name = \"bert\"\npublic_key = \"" + kKeyB +
                                     "\"\nallowed_ips = [\"10.200.100.3/32\"]\n");
  EXPECT_EQ(carry_out([](const PeerEdits& e) { return e.set_enabled("bert", false); }), "");
  EXPECT_TRUE(config().find_peer("anna")->enabled);
  EXPECT_FALSE(config().find_peer("bert")->enabled);
  EXPECT_EQ(carry_out([](const PeerEdits& e) { return e.remove("anna"); }), "");
  EXPECT_EQ(config().find_peer("anna"), nullptr);
  EXPECT_NE(config().find_peer("bert"), nullptr);
  EXPECT_EQ(config().mtu, 1400);
}

TEST_F(PeerEditsTest, ReplacesWhatAClientMayOpenAndKeepsTheRest) {
  const auto rules = [](std::initializer_list<std::string_view> texts) {
    std::vector<net::FlowRule> list;
    for (const std::string_view text : texts) list.push_back(net::FlowRule::parse(text).value());
    return list;
  };
  const auto set = [&](const RuleChange& change) {
    return carry_out([&](const PeerEdits& e) { return e.set_rules("anna", change); });
  };
  const std::string before = std::string("# The one in Leeds.\npublic_key = \"") + kKeyA +
                             "\" # hers\naddresses = [\"10.200.100.2\"]\n";
  directory.write("peers.d/anna.toml", before + "deny = \"private\" # no home\n");

  EXPECT_EQ(set({.allow = rules({"any tcp 443", "any udp 53"})}), "");
  EXPECT_EQ(directory.read("peers.d/anna.toml"),
            before + "deny = \"private\" # no home\nallow = [\"any tcp 443\", \"any udp 53\"]\n");
  EXPECT_EQ(set({.allow = rules({"any tcp 22"}), .deny = rules({})}), "");
  EXPECT_EQ(directory.read("peers.d/anna.toml"), before + "allow = [\"any tcp 22\"]\n");
  EXPECT_EQ(set({.allow = rules({})}), "");
  EXPECT_EQ(directory.read("peers.d/anna.toml"), before);
  EXPECT_EQ(set({.allow = rules({}), .deny = rules({})}), "");
  EXPECT_EQ(directory.read("peers.d/anna.toml"), before);
}

TEST_F(PeerEditsTest, RemovesAFile) {
  EXPECT_EQ(add({.name = "anna"}), "");
  EXPECT_EQ(carry_out([](const PeerEdits& e) { return e.remove("anna"); }), "");
  EXPECT_FALSE(directory.has("peers.d/anna.toml"));
}

TEST_F(PeerEditsTest, LeavesPeersOfTheCommandLineAlone) {
  source.flags.peers = {std::string(kKeyA) + ",10.200.100.2/32"};
  const std::string name = config().peers.at(0).name;
  const std::string error =
      carry_out([&](const PeerEdits& e) { return e.set_enabled(name, false); });
  EXPECT_NE(error.find("comes from the server's command line"), std::string::npos) << error;
}

TEST_F(PeerEditsTest, SaysThatThereIsNoSuchPeer) {
  for (const auto& make_edit : {+[](const PeerEdits& e) { return e.remove("anna"); },
                                +[](const PeerEdits& e) { return e.forget_key("anna"); },
                                +[](const PeerEdits& e) { return e.set_rules("anna", {}); },
                                +[](const PeerEdits& e) { return e.set_enabled("anna", true); }}) {
    EXPECT_EQ(carry_out(make_edit), "no peer is called \"anna\"; \"ginnel peer list\" lists them");
  }
}

}  // namespace
}  // namespace ginnel::server

#include "core/config/server_peer.h"

#include <gtest/gtest.h>

#include "support/seeded_rng.h"

namespace ginnel::config {
namespace {

const std::string kPublic = "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=";
const std::string kZeroKey = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

std::string error_of(std::string_view path, std::string_view text) {
  const auto peer = parse_peer_file(path, std::string(text));
  return peer ? "" : peer.error().message;
}

TEST(ParsePeerFile, ReadsEveryKey) {
  test::SeededRng rng(1);
  const auto private_key = crypto::PrivateKey::generate(rng);
  const auto preshared = crypto::PresharedKey::generate(rng);
  const auto peer = parse_peer_file(
      "/etc/ginnel/peers.d/anna.toml",
      "public_key = \"" + private_key.public_key().to_base64() + "\"\nprivate_key = \"" +
          private_key.expose_as_base64() + "\"\npreshared_key = \"" + preshared.expose_as_base64() +
          "\"\naddresses = [\"10.200.100.2\", \"fd00::2\"]\nallowed_ips = [\"192.168.7.0/24\"]\n"
          "endpoint = \"anna.example.org:7\"\npersistent_keepalive = 0\nenabled = false\n"
          "created = 2026-11-21T08:00:00Z\n");
  ASSERT_TRUE(peer) << peer.error().message;
  EXPECT_EQ(peer->name, "anna");
  EXPECT_EQ(peer->to_string(), "peer \"anna\" (/etc/ginnel/peers.d/anna.toml)");
  EXPECT_EQ(peer->public_key, private_key.public_key());
  EXPECT_EQ(peer->private_key->expose_as_base64(), private_key.expose_as_base64());
  EXPECT_EQ(peer->preshared_key->expose_as_base64(), preshared.expose_as_base64());
  ASSERT_EQ(peer->addresses.size(), 2u);
  EXPECT_EQ(peer->addresses[1].to_string(), "fd00::2");
  EXPECT_EQ(peer->allowed_ips[0].to_string(), "192.168.7.0/24");
  EXPECT_EQ(peer->endpoint->to_string(0), "anna.example.org:7");
  EXPECT_EQ(peer->persistent_keepalive_seconds, 0);
  EXPECT_FALSE(peer->enabled);
  EXPECT_EQ(peer->created, "2026-11-21T08:00:00Z");
}

TEST(ParsePeerFile, ReadsWhatTheClientMayOpen) {
  const std::string good = "public_key = \"" + kPublic + "\"\naddresses = [\"10.0.0.2\"]\n";
  const auto peer =
      parse_peer_file("p.toml", good +
                                    "allow = [\"192.168.7.0/24 tcp 22,80-90\", \"any udp 53\"]\n"
                                    "deny = \"192.168.7.1\"\n");
  ASSERT_TRUE(peer) << peer.error().message;
  ASSERT_TRUE(peer->rules.allow);
  ASSERT_EQ(peer->rules.allow->size(), 2u);
  EXPECT_EQ((*peer->rules.allow)[0].to_string(), "192.168.7.0/24 tcp 22,80-90");
  ASSERT_EQ(peer->rules.deny.size(), 1u);
  EXPECT_EQ(peer->rules.deny[0].to_string(), "192.168.7.1");
  // What is not said is not restricted.
  EXPECT_TRUE(parse_peer_file("p.toml", good)->rules.is_empty());
  EXPECT_TRUE(parse_peer_file("p.toml", good + "deny = []\n")->rules.is_empty());
}

TEST(ParsePeerFile, RefusesRulesThatAreWrongEmptyOrTooMany) {
  const std::string good = "public_key = \"" + kPublic + "\"\naddresses = [\"10.0.0.2\"]\n";
  const auto list = [&](std::string_view key, std::size_t count) {
    std::string text = good + std::string(key) + " = [";
    for (std::size_t i = 0; i < count; ++i) text += "\"10.0.0.0/8\", ";
    return text + "]\n";
  };
  EXPECT_EQ(error_of("p.toml", good + "allow = [\n  \"10.0.0.0/8\",\n  \"any tcp http\"]\n"),
            "p.toml:5: allow: \"http\" is no port; write numbers like 22,80-90");
  EXPECT_EQ(error_of("p.toml", good + "deny = [\"10.0.0.1/8\"]\n"),
            "p.toml:3: deny: 10.0.0.1/8 has host bits set; write 10.0.0.0/8");
  EXPECT_EQ(error_of("p.toml", good + "allow = []\n"),
            "p.toml:3: allow: is empty; take it out to allow everything, or write deny = \"any\"");
  for (const char* key : {"allow", "deny"}) {
    EXPECT_EQ(error_of("p.toml", list(key, net::FlowRules::kMaxRules - 1)), "");
    EXPECT_EQ(error_of("p.toml", list(key, net::FlowRules::kMaxRules)), "");
    EXPECT_EQ(error_of("p.toml", list(key, net::FlowRules::kMaxRules + 1)),
              std::string("p.toml:3: ") + key +
                  ": has over 256 rules; write larger prefixes, or lists of ports");
  }
}

TEST(ParsePeerFile, NeedsAKeyAndAnAddressOnly) {
  const auto peer = parse_peer_file(
      "bob.toml", "public_key = \"" + kPublic + "\"\naddresses = \"10.200.100.3\"\n");
  ASSERT_TRUE(peer);
  EXPECT_EQ(peer->name, "bob");
  EXPECT_EQ(peer->persistent_keepalive_seconds, kDefaultKeepaliveSeconds);
  EXPECT_TRUE(peer->enabled);
  EXPECT_FALSE(peer->private_key || peer->preshared_key || peer->endpoint);
  EXPECT_TRUE(parse_peer_file(
      "b.toml", "public_key = \"" + kPublic + "\"\nallowed_ips = [\"10.200.100.3/32\"]\n"));
}

TEST(ParsePeerFile, RefusesWithFileLineKeyAndRemedy) {
  test::SeededRng rng(2);
  const std::string key = "public_key = \"" + kPublic + "\"\n";
  const std::string good = key + "addresses = [\"10.0.0.2\"]\n";
  const std::string other = crypto::PrivateKey::generate(rng).expose_as_base64();
  struct Row {
    std::string text;
    std::string message;
  };
  const Row rows[] = {
      {"", "p.toml: public_key: is missing; add public_key = \"...\""},
      {key,
       "p.toml: addresses: is missing; add addresses = [\"...\"] with the client's address in the "
       "tunnel"},
      {"\npublic_key = \"short\"\n",
       "p.toml:2: public_key: not a public key: expected 44 characters of base64; `ginnel pubkey` "
       "makes it from the private key"},
      {"public_key = \"" + kZeroKey + "\"\n",
       "p.toml:1: public_key: is all zeros, which is nobody's key; write the peer's own"},
      {good + "private_key = \"" + other + "\"\n",
       "p.toml:3: private_key: does not belong to public_key; take it out, or write the key that "
       "does"},
      {good + "private_key = \"x\"\n",
       "p.toml:3: private_key: not a private key: expected 44 characters of base64; make one with "
       "`ginnel genkey`"},
      {key + "addresses = [\"10.0.0.2/32\"]\n",
       "p.toml:2: addresses: \"10.0.0.2/32\" is not an IP address; write one like 192.0.2.1 or "
       "2001:db8::1"},
      {key + "allowed_ips = [\"10.0.0.2/24\"]\n",
       "p.toml:2: allowed_ips: 10.0.0.2/24 has host bits set; write 10.0.0.0/24"},
      {good + "endpoint = \"example.org\"\n",
       "p.toml:3: endpoint: \"example.org\" has no port; write example.org:51820"},
      {good + "persistent_keepalive = 65536\n",
       "p.toml:3: persistent_keepalive: must be a number from 0 to 65535, without quotes"},
      {good + "enabled = \"no\"\n", "p.toml:3: enabled: must be true or false, without quotes"},
      {good + "created = \"yesterday\"\n",
       "p.toml:3: created: must be a time like 2026-11-21T08:00:00Z"},
      {good + "address = \"10.0.0.3\"\n",
       "p.toml:3: address: unknown key; did you mean \"addresses\"?"},
      {good + "PublicKey = \"x\"\n",
       "p.toml:3: PublicKey: unknown key; did you mean \"public_key\"?"},
      {good + "name = \"x\"\n",
       "p.toml:3: name: unknown key; the keys are public_key, private_key, preshared_key, "
       "addresses, allowed_ips, endpoint, persistent_keepalive, allow, deny, enabled, created"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.text);
    EXPECT_EQ(error_of("p.toml", row.text), row.message);
    EXPECT_EQ(error_of("p.toml", row.text).find(other), std::string::npos);
  }
}

TEST(CheckPeerName, IsAFileNameToo) {
  struct Row {
    std::string name;
    bool is_good;
  };
  const Row rows[] = {
      {"anna", true},
      {"Anna_2.phone-x", true},
      {std::string(64, 'a'), true},
      {"-", true},
      {"a.toml", true},
      {std::string(65, 'a'), false},
      {"", false},
      {".", false},
      {"..", false},
      {".hidden", false},
      {"a/b", false},
      {"a b", false},
      {"\xc3\xa9", false},
      {"a\n", false},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    EXPECT_EQ(check_peer_name(row.name).has_value(), row.is_good);
  }
  EXPECT_NE(error_of("peers.d/a b.toml", ""), "");
  EXPECT_EQ(error_of("peers.d/anna.conf", ""),
            "peers.d/anna.conf: is not named NAME.toml; rename it");
}

TEST(DefaultPeerName, IsAGoodNameForEveryKey) {
  test::SeededRng rng(3);
  for (int i = 0; i < 200; ++i) {
    const auto key = crypto::PrivateKey::generate(rng).public_key();
    EXPECT_TRUE(check_peer_name(default_peer_name(key))) << default_peer_name(key);
  }
  EXPECT_EQ(default_peer_name(crypto::PublicKey::parse(kPublic).value()), "peer-xTIBA5rb");
}

TEST(ToPeerFile, IsReadBackAsItWas) {
  test::SeededRng rng(4);
  for (int i = 0; i < 256; ++i) {
    ServerPeer peer;
    auto private_key = crypto::PrivateKey::generate(rng);
    peer.public_key = private_key.public_key();
    if (i & 1) peer.private_key = std::move(private_key);
    if (i & 2) peer.preshared_key = crypto::PresharedKey::generate(rng);
    if (i & 4) peer.allowed_ips = {net::Prefix::parse("192.168.0.0/16").value()};
    if (i & 8) peer.endpoint = HostPort::parse("[2001:db8::1]:9").value();
    if (i & 16) peer.persistent_keepalive_seconds = 0;
    peer.enabled = i & 32;
    if (i & 32) peer.created = "2026-11-21T08:00:00Z";
    if (i & 64) peer.rules.allow = {{net::FlowRule::parse("192.168.7.0/24 tcp 22,80-90").value()}};
    if (i & 128) peer.rules.deny = {net::FlowRule::parse("private").value()};
    peer.addresses = {net::Address::parse("10.0.0.2").value()};

    const std::string text = to_peer_file(peer);
    const auto read = parse_peer_file("x.toml", text);

    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(to_peer_file(*read), text);
    EXPECT_EQ(read->public_key, peer.public_key);
    EXPECT_EQ(read->private_key.has_value(), peer.private_key.has_value());
    EXPECT_EQ(read->addresses, peer.addresses);
    EXPECT_EQ(read->allowed_ips, peer.allowed_ips);
    EXPECT_EQ(read->endpoint, peer.endpoint);
    EXPECT_EQ(read->persistent_keepalive_seconds, peer.persistent_keepalive_seconds);
    EXPECT_EQ(read->rules, peer.rules);
    EXPECT_EQ(read->enabled, peer.enabled);
    EXPECT_EQ(read->created, peer.created);
  }
}

TEST(ReadPeerTables, NamesPeersByThemselvesOrByTheirKey) {
  const auto document = TomlDocument::parse(
      "server.toml", "[[peer]]\npublic_key = \"" + kPublic +
                         "\"\nallowed_ips = [\"10.0.0.2/32\"]\n\n[[peer]]\nname = \"bob\"\n"
                         "public_key = \"" +
                         kPublic + "\"\naddresses = [\"10.0.0.3\"]\n");
  const auto peers = read_peer_tables(*document);
  ASSERT_TRUE(peers) << peers.error().message;
  ASSERT_EQ(peers->size(), 2u);
  EXPECT_EQ((*peers)[0].to_string(), "peer \"peer-xTIBA5rb\" (server.toml:1)");
  EXPECT_EQ((*peers)[1].to_string(), "peer \"bob\" (server.toml:5)");
  EXPECT_EQ((*peers)[1].place().index, 1u);
}

TEST(ReadPeerTables, RefusesWhatIsNoListOfTables) {
  struct Row {
    std::string text;
    std::string message;
  };
  const Row rows[] = {
      {"[peer]\n", "server.toml:1: peer: must be tables; write [[peer]] above each one's keys"},
      {"\npeer = 1\n", "server.toml:2: peer: must be tables; write [[peer]] above each one's keys"},
      {"peer = [\n1]\n",
       "server.toml:2: peer: must be tables; write [[peer]] above each one's keys"},
      {"\n[[peer]]\n", "server.toml:2: public_key: is missing; add public_key = \"...\""},
      {"[[peer]]\nname = \".x\"\npublic_key = \"" + kPublic + "\"\naddresses = [\"10.0.0.3\"]\n",
       "server.toml:2: name: \".x\" cannot be a peer's name: use 1 to 64 letters, digits, '_', '-' "
       "and '.', not starting with '.'"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.text);
    const auto document = TomlDocument::parse("server.toml", row.text);
    ASSERT_TRUE(document);
    const auto peers = read_peer_tables(*document);
    ASSERT_FALSE(peers);
    EXPECT_EQ(peers.error().message, row.message);
  }
}

}  // namespace
}  // namespace ginnel::config

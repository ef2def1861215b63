#include <gtest/gtest.h>

#include "core/config/server_config.h"

namespace ginnel::config {
namespace {

ServerPeer peer(std::uint8_t n, std::string_view allowed_ip) {
  ServerPeer result;
  std::array<std::uint8_t, crypto::kKeySize> bytes{};
  bytes.fill(n);
  result.public_key = crypto::PublicKey(bytes);
  result.name = std::to_string(n);
  result.allowed_ips = {net::Prefix::parse(allowed_ip).value()};
  return result;
}

template <class... Peers>
std::vector<ServerPeer> list(Peers... peers) {
  std::vector<ServerPeer> result;
  (result.push_back(std::move(peers)), ...);
  return result;
}

// Each change as its peer's number, with a '-' for a removal.
std::string changes(const std::vector<ServerPeer>& before, const std::vector<ServerPeer>& after) {
  std::string text;
  for (const wg::PeerChange& change : changed_peers(before, after)) {
    text += fmt::format("{}{} ", change.remove ? "-" : "", int{change.public_key.bytes()[0]});
  }
  return text;
}

template <class Edit>
ServerPeer edited(ServerPeer original, Edit edit) {
  edit(original);
  return original;
}

TEST(ChangedPeers, NamesOnlyWhatDiffers) {
  const auto one = [] { return peer(1, "10.0.0.1/32"); };
  const auto two = [] { return peer(2, "10.0.0.2/32"); };
  const auto disabled = [&] { return edited(one(), [](ServerPeer& p) { p.enabled = false; }); };
  EXPECT_EQ(changes({}, {}), "");
  EXPECT_EQ(changes(list(one(), two()), list(one(), two())), "");
  EXPECT_EQ(changes(list(one(), two()), list(two(), one())), "");
  EXPECT_EQ(changes({}, list(one(), two())), "1 2 ");
  EXPECT_EQ(changes(list(one(), two()), list(two())), "-1 ");
  EXPECT_EQ(changes(list(one()), list(disabled())), "-1 ");
  EXPECT_EQ(changes(list(disabled()), list(one())), "1 ");
  EXPECT_EQ(changes(list(disabled()), list(disabled())), "");
  EXPECT_EQ(changes(list(disabled()), {}), "");
  // An address that moves is freed first.
  EXPECT_EQ(changes(list(two()), list(peer(1, "10.0.0.2/32"))), "-2 1 ");
}

TEST(ChangedPeers, SeesEveryDifferenceThatTheDeviceWouldSee) {
  struct Row {
    const char* name;
    void (*edit)(ServerPeer&);
    bool is_change;
  };
  const Row rows[] = {
      {"nothing", [](ServerPeer&) {}, false},
      {"name", [](ServerPeer& p) { p.name = "other"; }, false},
      {"created", [](ServerPeer& p) { p.created = "2026-11-21"; }, false},
      {"the client's keepalive", [](ServerPeer& p) { p.persistent_keepalive_seconds = 0; }, false},
      {"allowed IP", [](ServerPeer& p) { p.allowed_ips.push_back(net::Prefix()); }, true},
      {"endpoint", [](ServerPeer& p) { p.endpoint = HostPort{"192.0.2.1", 5}; }, true},
      {"zero preshared key", [](ServerPeer& p) { p.preshared_key.emplace(); }, false},
      {"preshared key",
       [](ServerPeer& p) {
         const std::array<std::uint8_t, crypto::kKeySize> bytes = {1};
         p.preshared_key.emplace(crypto::KeyView(bytes));
       },
       true},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    EXPECT_EQ(changes(list(peer(1, "10.0.0.1/32")), list(edited(peer(1, "10.0.0.1/32"), row.edit))),
              row.is_change ? "1 " : "");
  }
}

TEST(ToPeerChange, SaysTheWholePeer) {
  ServerPeer original = peer(1, "10.0.0.1/32");
  const wg::PeerChange plain = to_peer_change(original, std::nullopt);
  EXPECT_FALSE(plain.remove || plain.update_only || plain.endpoint);
  EXPECT_TRUE(plain.replace_allowed_ips);
  EXPECT_TRUE(plain.preshared_key->is_zero());  // One that was there goes.
  EXPECT_EQ(plain.persistent_keepalive_seconds, 0);
  EXPECT_EQ(plain.allowed_ips[0].prefix, original.allowed_ips[0]);

  original.endpoint = HostPort::parse("192.0.2.1:7").value();
  const auto changed = changed_peers({}, list(std::move(original)));
  EXPECT_EQ(changed[0].endpoint->to_string(), "192.0.2.1:7");
  EXPECT_EQ(changed[0].persistent_keepalive_seconds, kDefaultKeepaliveSeconds);
}

}  // namespace
}  // namespace ginnel::config

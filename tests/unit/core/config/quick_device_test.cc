#include "core/config/quick_device.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "core/config/uapi_set.h"

namespace ginnel::config {
namespace {

constexpr const char* kText = R"([Interface]
PrivateKey = yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=
ListenPort = 51820
[Peer]
PublicKey = xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=
PresharedKey = yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=
AllowedIPs = 10.0.0.0/8, fd00::/64
Endpoint = vpn.example:51820
PersistentKeepalive = 25
[Peer]
PublicKey = TrMvSoP4jYQlY6RIzBgbssQqY3vxI2Pi+y71lOWWXX0=
AllowedIPs = 11.0.0.0/8
)";

QuickNames names() {
  return {.listen_port = 51820, .endpoints = {*net::Endpoint::parse("192.0.2.1:51820"), {}}};
}

// The device as quick_addition() leaves it.
wg::DeviceStatus status_of(const QuickFile& file) {
  wg::DeviceStatus status{.listen_port = 51820};
  status.private_key = file.private_key->duplicate();
  for (std::size_t i = 0; i < file.peers.size(); ++i) {
    const QuickPeer& peer = file.peers[i];
    wg::PeerStatus& present = status.peers.emplace_back();
    present.public_key = peer.public_key;
    if (peer.preshared_key) present.preshared_key = peer.preshared_key->duplicate();
    present.endpoint = names().endpoints[i];
    present.persistent_keepalive_seconds = peer.persistent_keepalive_seconds.value_or(0);
    for (const auto& allowed : peer.allowed_ips) present.allowed_ips.push_back(allowed.prefix);
    std::ranges::reverse(present.allowed_ips);  // The order is the device's.
  }
  return status;
}

// The difference to the device when the file is edited so.
template <class Edit>
std::string difference_after(Edit&& edit) {
  auto file = parse_quick_file("wg0.conf", kText);
  const wg::DeviceStatus status = status_of(*file);
  edit(*file);
  QuickNames looked_up = names();
  looked_up.endpoints.resize(file->peers.size());
  return uapi_set_request(quick_difference(*file, looked_up, status));
}

TEST(QuickAddition, IsAllThatTheFileSays) {
  const auto file = parse_quick_file("wg0.conf", kText);
  ASSERT_TRUE(file);
  const wg::DeviceChange change = quick_addition(*file, names());
  EXPECT_FALSE(change.replace_peers);
  EXPECT_EQ(change.listen_port, 51820);
  EXPECT_FALSE(change.fwmark.has_value());
  ASSERT_EQ(change.peers.size(), 2u);
  EXPECT_EQ(change.peers[0].endpoint->to_string(), "192.0.2.1:51820");
  EXPECT_TRUE(change.peers[0].replace_allowed_ips);
  EXPECT_TRUE(change.peers[0].preshared_key.has_value());
  EXPECT_FALSE(change.peers[1].endpoint.has_value());
}

TEST(QuickDifference, OfWhatIsThereIsNothing) {
  EXPECT_EQ(difference_after([](QuickFile&) {}), "set=1\n\n");
}

TEST(QuickDifference, NamesOnlyWhatDiffers) {
  const std::string first =
      "public_key=c53201039adba14be71f886da1d8dbe9eebded08cb111b75340078999aa9f038\n";
  const std::string second =
      "public_key=4eb32f4a83f88d842563a448cc181bb2c42a637bf12363e2fb2ef594e5965d7d\n";
  EXPECT_EQ(difference_after([](QuickFile& f) { f.peers[0].persistent_keepalive_seconds = {}; }),
            "set=1\n" + first + "persistent_keepalive_interval=0\n\n");
  EXPECT_EQ(difference_after([](QuickFile& f) { f.peers[0].preshared_key.reset(); }),
            "set=1\n" + first + "preshared_key=" + std::string(64, '0') + "\n\n");
  EXPECT_EQ(difference_after([](QuickFile& f) { f.peers[0].allowed_ips.pop_back(); }),
            "set=1\n" + first + "replace_allowed_ips=true\nallowed_ip=10.0.0.0/8\n\n");
  EXPECT_EQ(difference_after([](QuickFile& f) { f.peers.pop_back(); }),
            "set=1\n" + second + "remove=true\n\n");
  EXPECT_EQ(difference_after([](QuickFile& f) { f.fwmark = 7; }), "set=1\nfwmark=7\n\n");
}

TEST(QuickDifference, LeavesWhatTheFileDoesNotName) {
  EXPECT_EQ(difference_after([](QuickFile& f) {
              f.private_key.reset();
              f.listen_port.reset();
              f.peers[0].endpoint.reset();
            }),
            "set=1\n\n");
}

TEST(MayHaveMoved, AsksForANameAndForSilence) {
  const auto file = parse_quick_file("wg0.conf", kText);
  ASSERT_TRUE(file);
  const QuickPeer& named = file->peers[0];
  const UnixTime now{1'800'000'000s};
  const struct {
    std::optional<UnixTime> heard;
    bool moved;
  } rows[] = {{{}, true}, {now - 135s, true}, {now - 135s + 1ns, false}, {now + 1s, false}};
  for (const auto& row : rows) {
    wg::PeerStatus status;
    status.last_handshake = row.heard;
    EXPECT_EQ(may_have_moved(named, status, now), row.moved);
    EXPECT_FALSE(may_have_moved(file->peers[1], status, now)) << "it has no endpoint";
  }
  for (const char* address : {"192.0.2.1", "2001:db8::1"}) {
    QuickPeer fixed;
    fixed.endpoint = QuickEndpoint{.host = address, .port = "1"};
    EXPECT_FALSE(may_have_moved(fixed, {}, now)) << address;
  }
}

TEST(NextEndpoint, GivesEachAddressItsTurn) {
  const auto at = [](int n) { return *net::Endpoint::parse(fmt::format("192.0.2.{}:1", n)); };
  EXPECT_EQ(next_endpoint({}, at(1)), std::nullopt);
  EXPECT_EQ(next_endpoint({at(1)}, at(1)), std::nullopt);
  EXPECT_EQ(next_endpoint({at(1)}, at(2)), at(1));
  EXPECT_EQ(next_endpoint({at(1)}, std::nullopt), at(1));
  EXPECT_EQ(next_endpoint({at(1), at(2), at(3)}, at(1)), at(2));
  EXPECT_EQ(next_endpoint({at(1), at(2), at(3)}, at(3)), at(1));
}

}  // namespace
}  // namespace ginnel::config

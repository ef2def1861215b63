#include "core/config/lost_peers.h"

#include <gtest/gtest.h>

#include "core/config/quick_device.h"

namespace ginnel::config {
namespace {

constexpr UnixTime kNow{std::chrono::hours(500'000)};

// The first is called by name, the second by address, the third not at all.
QuickFile sample() {
  const std::string text =
      "[Interface]\nPrivateKey = yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=\n"
      "[Peer]\nPublicKey = xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=\n"
      "Endpoint = vpn.example:51820\n"
      "[Peer]\nPublicKey = TrMvSoP4jYQlY6RIzBgbssQqY3vxI2Pi+y71lOWWXX0=\n"
      "Endpoint = 192.0.2.1:51820\n"
      "[Peer]\nPublicKey = gN65BkIKy1eCE9pP1wdc8ROUtkHLF2PfAqYdyYBz6EA=\n";
  auto file = parse_quick_file("wg0.conf", text);
  EXPECT_TRUE(file) << file.error().message;
  return std::move(*file);
}

wg::DeviceStatus device(const QuickFile& file, std::uint64_t sent) {
  wg::DeviceStatus status;
  for (const QuickPeer& peer : file.peers) {
    wg::PeerStatus& present = status.peers.emplace_back();
    present.public_key = peer.public_key;
    present.tx_bytes = sent;
  }
  return status;
}

std::size_t count(LostPeers& lost, const QuickFile& file, const wg::DeviceStatus& status,
                  LostPeers::Which which = LostPeers::Which::Sent) {
  return lost.find(file, status, kNow, which).size();
}

TEST(LostPeers, AreThoseWithANameThatSomethingWasSentTo) {
  const QuickFile file = sample();
  LostPeers lost;
  EXPECT_EQ(count(lost, file, device(file, 0)), 0u);
  const wg::DeviceStatus sent = device(file, 148);
  const auto found = lost.find(file, sent, kNow, LostPeers::Which::Sent);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found.front().peer, &file.peers.front());
  EXPECT_EQ(found.front().present, &sent.peers.front());
  EXPECT_EQ(count(lost, file, sent), 0u) << "nothing was sent since";
  EXPECT_EQ(count(lost, file, device(file, 296)), 1u);
  EXPECT_EQ(count(lost, file, device(file, 296), LostPeers::Which::All), 1u);
}

TEST(LostPeers, AreNoneThatAnsweredOrThatTheDeviceDoesNotHave) {
  const QuickFile file = sample();
  wg::DeviceStatus status = device(file, 148);
  LostPeers lost;
  status.peers.front().last_handshake = kNow - kLostPeerSilence + 1s;
  EXPECT_EQ(count(lost, file, status, LostPeers::Which::All), 0u);
  status.peers.front().last_handshake = kNow - kLostPeerSilence;
  EXPECT_EQ(count(lost, file, status, LostPeers::Which::All), 1u);
  status.peers.clear();
  EXPECT_EQ(count(lost, file, status, LostPeers::Which::All), 0u);
}

TEST(LostPeers, AreTriedElsewhereWithoutAnotherChange) {
  const QuickFile file = sample();
  const auto endpoint = net::Endpoint::parse("192.0.2.9:51820").value();
  const wg::PeerChange change = moved_to(file.peers.front(), endpoint);
  EXPECT_EQ(change.public_key, file.peers.front().public_key);
  EXPECT_EQ(change.endpoint, endpoint);
  EXPECT_TRUE(change.update_only);
  EXPECT_FALSE(change.replace_allowed_ips);
  EXPECT_TRUE(change.allowed_ips.empty());
}

}  // namespace
}  // namespace ginnel::config

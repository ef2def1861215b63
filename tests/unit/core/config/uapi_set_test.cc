#include "core/config/uapi_set.h"

#include <gtest/gtest.h>

#include "core/config/uapi_request.h"

namespace ginnel::config {
namespace {

crypto::PublicKey key_of(std::uint8_t byte) {
  std::array<std::uint8_t, crypto::kKeySize> bytes;
  bytes.fill(byte);
  return crypto::PublicKey(bytes);
}

wg::DeviceChange whole_change() {
  std::array<std::uint8_t, crypto::kKeySize> secret;
  secret.fill(0xab);
  wg::DeviceChange change{.listen_port = 51820, .fwmark = 0xca6c, .replace_peers = true};
  change.private_key = crypto::PrivateKey(secret);
  wg::PeerChange& full = change.peers.emplace_back();
  full.public_key = key_of(1);
  full.preshared_key = crypto::PresharedKey(secret);
  full.endpoint = *net::Endpoint::parse("[fe80::1%2]:51820");
  full.persistent_keepalive_seconds = 25;
  full.replace_allowed_ips = true;
  full.allowed_ips = {{*net::Prefix::parse("10.0.0.0/8")}, {*net::Prefix::parse("::/0"), true}};
  change.peers.emplace_back().public_key = key_of(2);
  change.peers.back().remove = true;
  change.peers.emplace_back().public_key = key_of(3);
  change.peers.back().update_only = true;
  return change;
}

TEST(UapiSetRequest, IsReadBackAsTheSameChange) {
  const wg::DeviceChange change = whole_change();
  const std::string text = uapi_set_request(change);
  UapiRequestParser parser;
  ASSERT_EQ(parser.feed(text), text.size());
  const auto request = parser.take();
  ASSERT_TRUE(request.has_value());
  EXPECT_EQ(request->verb, UapiVerb::Set);
  ASSERT_EQ(request->error, UapiErrno::Ok);
  EXPECT_EQ(uapi_set_request(request->change), text);
  EXPECT_EQ(request->change.peers[0].endpoint, change.peers[0].endpoint);
  EXPECT_EQ(request->change.peers[0].allowed_ips, change.peers[0].allowed_ips);
  EXPECT_TRUE(request->change.peers[1].remove);
}

TEST(UapiSetRequest, OfNothingChangesNothing) { EXPECT_EQ(uapi_set_request({}), "set=1\n\n"); }

}  // namespace
}  // namespace ginnel::config

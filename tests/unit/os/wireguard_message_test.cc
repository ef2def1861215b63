#include "os/wireguard_message.h"

#include <gtest/gtest.h>
#include <linux/genetlink.h>
#include <linux/wireguard.h>

#include "os/netlink_attribute.h"

namespace ginnel::os {
namespace {

constexpr std::uint16_t kFamily = 0x1d;

WireguardKey key(std::uint8_t n) { return WireguardKey{n, 1, 2, 3}; }
net::Prefix prefix(const std::string& text) { return net::Prefix::parse(text).value(); }
net::Endpoint endpoint(const char* text) { return net::Endpoint::parse(text).value(); }

using Message = std::vector<std::uint8_t>;

std::vector<Message> messages_of(const WireguardChange& change) {
  std::vector<Message> messages;
  const Status made =
      for_each_wireguard_message(kFamily, "wg0", change, [&](const nlmsghdr& message) {
        const auto* bytes = reinterpret_cast<const std::uint8_t*>(&message);
        messages.emplace_back(bytes, bytes + message.nlmsg_len);
        return ok();
      });
  EXPECT_TRUE(made);
  return messages;
}

// A request names things as an answer does, so what is read back is what was meant.
WireguardState read_back(const std::vector<Message>& messages) {
  WireguardReader reader;
  for (const Message& message : messages) {
    reader.read(*reinterpret_cast<const nlmsghdr*>(message.data()));
  }
  auto state = reader.take();
  EXPECT_TRUE(state);
  return state ? std::move(*state) : WireguardState{};
}

// The flags of every peer in a message, in their order.
std::vector<std::uint32_t> peer_flags(const Message& message) {
  std::vector<std::uint32_t> all;
  const auto read_peer = [&](int, ByteView peer) {
    std::uint32_t flags = 0;
    for_each_attribute(peer, [&](int type, ByteView payload) {
      if (type == WGPEER_A_FLAGS) flags = read_number<std::uint32_t>(payload).value();
    });
    all.push_back(flags);
  };
  for_each_attribute(
      attributes_behind(*reinterpret_cast<const nlmsghdr*>(message.data()), sizeof(genlmsghdr)),
      [&](int type, ByteView payload) {
        if (type == WGDEVICE_A_PEERS) for_each_attribute(payload, read_peer);
      });
  return all;
}

TEST(WireguardMessage, SaysAllOfADevice) {
  const WireguardKey secret = key(9);
  const WireguardKey peer = key(1);
  const WireguardKey psk = key(8);
  WireguardChange change{.private_key = secret, .listen_port = 51820, .fwmark = 0xca6c};
  change.peers.push_back({.public_key = peer,
                          .preshared_key = psk,
                          .endpoint = endpoint("[fe80::1%3]:4500"),
                          .persistent_keepalive_seconds = std::uint16_t{25},
                          .allowed_ips = {prefix("10.1.0.0/16"), prefix("::/0")}});
  const auto messages = messages_of(change);
  ASSERT_EQ(messages.size(), 1u);
  const WireguardState state = read_back(messages);
  EXPECT_TRUE(std::ranges::equal(state.private_key.expose(), secret));
  EXPECT_EQ(state.listen_port, 51820);
  EXPECT_EQ(state.fwmark, 0xca6cu);
  ASSERT_EQ(state.peers.size(), 1u);
  EXPECT_EQ(state.peers[0].public_key, peer);
  EXPECT_TRUE(std::ranges::equal(state.peers[0].preshared_key.expose(), psk));
  EXPECT_EQ(state.peers[0].endpoint, endpoint("[fe80::1%3]:4500"));
  EXPECT_EQ(state.peers[0].persistent_keepalive_seconds, 25);
  EXPECT_EQ(state.peers[0].allowed_ips, (std::vector{prefix("10.1.0.0/16"), prefix("::/0")}));
  EXPECT_FALSE(state.peers[0].last_handshake);
}

TEST(WireguardMessage, LeavesOutWhatStaysAsItIs) {
  const auto messages = messages_of({.fwmark = 0u});
  ASSERT_EQ(messages.size(), 1u);
  std::vector<int> types;
  for_each_attribute(
      attributes_behind(*reinterpret_cast<const nlmsghdr*>(messages[0].data()), sizeof(genlmsghdr)),
      [&](int type, ByteView) { types.push_back(type); });
  EXPECT_EQ(types, (std::vector<int>{WGDEVICE_A_IFNAME, WGDEVICE_A_FWMARK}));
}

TEST(WireguardMessage, GoesOnInAsManyMessagesAsItTakes) {
  std::vector<WireguardKey> keys;
  for (int i = 0; i < 2000; ++i) {
    WireguardKey& made = keys.emplace_back();
    made[0] = static_cast<std::uint8_t>(i);
    made[1] = static_cast<std::uint8_t>(i >> 8);
  }
  WireguardChange change{.replace_peers = true};
  for (const WireguardKey& each : keys) {
    change.peers.push_back({.public_key = each,
                            .endpoint = endpoint("[2001:db8::1]:1"),
                            .allowed_ips = {prefix("2001:db8::/32"), prefix("10.0.0.0/8")},
                            .replace_allowed_ips = true});
  }
  const auto messages = messages_of(change);
  ASSERT_GT(messages.size(), 2u);
  for (const Message& message : messages) EXPECT_LE(message.size(), kMaxWireguardMessage);
  const WireguardState state = read_back(messages);
  ASSERT_EQ(state.peers.size(), keys.size());
  for (std::size_t i = 0; i < keys.size(); ++i) {
    EXPECT_EQ(state.peers[i].public_key, keys[i]);
    EXPECT_EQ(state.peers[i].allowed_ips.size(), 2u);
  }
}

TEST(WireguardMessage, ReplacesAllowedIpsOnceAndAddsTheRest) {
  const WireguardKey first = key(1);
  const WireguardKey second = key(2);
  WireguardChange change;
  change.peers.push_back({.public_key = first, .update_only = true, .replace_allowed_ips = true});
  for (unsigned i = 0; i < 3000; ++i) {
    change.peers[0].allowed_ips.push_back(prefix(fmt::format("fd00:{:x}::/32", i)));
  }
  change.peers.push_back({.public_key = second, .remove = true});
  const auto messages = messages_of(change);
  ASSERT_GT(messages.size(), 2u);
  EXPECT_EQ(peer_flags(messages[0]),
            (std::vector<std::uint32_t>{WGPEER_F_REPLACE_ALLOWEDIPS | WGPEER_F_UPDATE_ONLY}));
  EXPECT_EQ(peer_flags(messages[1]), (std::vector<std::uint32_t>{WGPEER_F_UPDATE_ONLY}));
  EXPECT_EQ(peer_flags(messages.back()).back(), std::uint32_t{WGPEER_F_REMOVE_ME});
  const WireguardState state = read_back(messages);
  ASSERT_EQ(state.peers.size(), 2u);  // One peer in many messages is one.
  EXPECT_EQ(state.peers[0].allowed_ips, change.peers[0].allowed_ips);
}

TEST(WireguardMessage, StopsWhereOneIsRefused) {
  const std::vector<WireguardKey> keys(2000);
  WireguardChange change;
  for (const WireguardKey& each : keys) change.peers.push_back({.public_key = each});
  int made = 0;
  const Status refused = for_each_wireguard_message(kFamily, "wg0", change, [&](nlmsghdr&) {
    return ++made == 2 ? Status(fail(ErrorCode::Exhausted, "no")) : ok();
  });
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message, "no");
  EXPECT_EQ(made, 2);
}

TEST(WireguardReader, TakesAsMuchAsItsLimitsAllowAndNoMore) {
  const struct {
    std::size_t peers, allowed_ips;
    bool good;
  } rows[] = {{3, 6, true}, {4, 7, true}, {2, 6, false}, {3, 5, false}};
  const std::vector<WireguardKey> keys = {key(1), key(2), key(3)};
  WireguardChange change;
  for (const WireguardKey& each : keys) {
    change.peers.push_back(
        {.public_key = each, .allowed_ips = {prefix("10.0.0.0/8"), prefix("::/0")}});
  }
  const auto messages = messages_of(change);
  for (const auto& row : rows) {
    SCOPED_TRACE(fmt::format("{} peers, {} allowed IPs", row.peers, row.allowed_ips));
    WireguardReader reader(row.peers, row.allowed_ips);
    for (const Message& message : messages) {
      reader.read(*reinterpret_cast<const nlmsghdr*>(message.data()));
    }
    EXPECT_EQ(reader.take().has_value(), row.good);
  }
}

TEST(WireguardReader, StartsAgain) {
  const WireguardKey peer = key(1);
  WireguardChange change{.fwmark = 7u};
  change.peers.push_back({.public_key = peer, .allowed_ips = {prefix("10.0.0.0/8")}});
  const auto messages = messages_of(change);
  WireguardReader reader(1, 1);
  for (int i = 0; i < 3; ++i) {
    reader.restart();
    reader.read(*reinterpret_cast<const nlmsghdr*>(messages[0].data()));
  }
  const auto state = reader.take();
  ASSERT_TRUE(state);
  EXPECT_EQ(state->peers.size(), 1u);
}

}  // namespace
}  // namespace ginnel::os

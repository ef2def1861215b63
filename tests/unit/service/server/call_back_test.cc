#include "service/server/call_back.h"

#include <gtest/gtest.h>

#include "store/server_schema.h"

namespace ginnel::server {
namespace {

constexpr UnixTime kWall{std::chrono::seconds(1'795'000'000)};

crypto::PublicKey key(std::uint8_t first) {
  std::array<std::uint8_t, crypto::kKeySize> bytes{first};
  return crypto::PublicKey(bytes);
}

config::ServerPeer peer(std::uint8_t number, bool enabled = true) {
  config::ServerPeer result;
  result.public_key = key(number);
  result.enabled = enabled;
  return result;
}

std::vector<config::ServerPeer> only(config::ServerPeer peer) {
  std::vector<config::ServerPeer> peers;
  peers.push_back(std::move(peer));
  return peers;
}

class CallBackTest : public testing::Test {
 protected:
  // Peer 1 had a handshake at kWall, and was at 192.0.2.1:4000.
  CallBackTest() {
    wg::DeviceStatus status;
    wg::PeerStatus& known = status.peers.emplace_back();
    known.public_key = key(1);
    known.last_handshake = kWall;
    known.endpoint = net::Endpoint::parse("192.0.2.1:4000").value();
    book.record(MonoTime{} + 1h, status);
  }

  std::unique_ptr<storage::Database> database =
      storage::Database::open(":memory:", storage::server_schema()).value();
  TrafficBook book = TrafficBook::open(*database).value();
};

TEST_F(CallBackTest, TurnsAKeepaliveOnAndOffAgain) {
  const auto calls = call_back({}, only(peer(1)), book, kWall + 10s);
  ASSERT_EQ(calls.size(), 2u);
  for (const wg::PeerChange& call : calls) {
    EXPECT_EQ(call.public_key, key(1));
    EXPECT_EQ(call.endpoint->to_string(), "192.0.2.1:4000");
    EXPECT_TRUE(call.update_only);
    EXPECT_FALSE(call.replace_allowed_ips);
  }
  EXPECT_EQ(calls[0].persistent_keepalive_seconds, 1);
  EXPECT_EQ(calls[1].persistent_keepalive_seconds, 0);
}

TEST_F(CallBackTest, LeavesAloneWhoseSessionIsOver) {
  EXPECT_FALSE(call_back({}, only(peer(1)), book, kWall + 180s).empty());
  EXPECT_TRUE(call_back({}, only(peer(1)), book, kWall + 181s).empty());
}

TEST_F(CallBackTest, LeavesAloneWhoNeedsNoCall) {
  config::ServerPeer called = peer(1);
  called.endpoint = config::HostPort::of(net::Address::parse("192.0.2.9").value(), 1);
  struct Row {
    const char* what;
    std::vector<config::ServerPeer> before;
    std::vector<config::ServerPeer> after;
  };
  const Row rows[] = {
      {"it is disabled", {}, only(peer(1, false))},
      {"it was there all the time", only(peer(1)), only(peer(1))},
      {"nobody knows where it is", {}, only(peer(2))},
      {"its endpoint is configured", {}, only(std::move(called))},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.what);
    EXPECT_TRUE(call_back(row.before, row.after, book, kWall).empty());
  }
}

TEST_F(CallBackTest, CallsWhoWasDisabled) {
  EXPECT_EQ(call_back(only(peer(1, false)), only(peer(1)), book, kWall).size(), 2u);
}

}  // namespace
}  // namespace ginnel::server

#include "service/server/traffic_book.h"

#include <gtest/gtest.h>

#include "store/server_schema.h"

namespace ginnel::server {
namespace {

constexpr MonoTime kStart = MonoTime{} + 1h;
constexpr UnixTime kWall{std::chrono::seconds(1'795'000'000)};

crypto::PublicKey key(std::uint8_t first) {
  std::array<std::uint8_t, crypto::kKeySize> bytes{first};
  return crypto::PublicKey(bytes);
}

wg::DeviceStatus device(std::uint64_t rx, std::uint64_t tx,
                        std::optional<UnixTime> last_handshake = std::nullopt,
                        std::vector<wg::NamedCounter> counters = {}) {
  wg::DeviceStatus status;
  wg::PeerStatus peer;
  peer.public_key = key(1);
  peer.rx_bytes = rx;
  peer.tx_bytes = tx;
  peer.last_handshake = last_handshake;
  peer.counters = std::move(counters);
  status.peers.push_back(std::move(peer));
  return status;
}

class TrafficBookTest : public testing::Test {
 protected:
  std::unique_ptr<storage::Database> database =
      storage::Database::open(":memory:", storage::server_schema()).value();
};

TEST_F(TrafficBookTest, AddsUpOverRestarts) {
  {
    TrafficBook book = TrafficBook::open(*database).value();
    book.record(kStart, device(100, 10));
    book.record(kStart + 3s, device(1000, 20));
    ASSERT_TRUE(book.save());
  }
  TrafficBook book = TrafficBook::open(*database).value();
  EXPECT_EQ(book.of(key(1)).total.rx_bytes, 1000u);
  book.record(kStart, device(0, 0));
  book.record(kStart + 3s, device(500, 5));
  EXPECT_EQ(book.of(key(1)).total.rx_bytes, 1500u);
  EXPECT_EQ(book.of(key(1)).total.tx_bytes, 25u);
}

TEST_F(TrafficBookTest, CountsAHandshakeOnce) {
  TrafficBook book = TrafficBook::open(*database).value();
  book.record(kStart, device(1, 1, kWall));
  book.record(kStart + 3s, device(1, 1, kWall));
  book.record(kStart + 6s, device(2, 2, kWall + 120s));
  EXPECT_EQ(book.of(key(1)).total.handshakes, 2u);
  EXPECT_EQ(book.of(key(1)).total.last_handshake, kWall + 120s);
}

TEST_F(TrafficBookTest, KeepsTheCausesOfFailedHandshakes) {
  TrafficBook book = TrafficBook::open(*database).value();
  book.record(kStart, device(0, 0, std::nullopt, {{"handshake_replayed", 2}, {"other", 9}}));
  EXPECT_EQ(book.of(key(1)).total.failures, (std::vector<storage::CauseCount>{{"replayed", 2}}));
}

TEST_F(TrafficBookTest, RestartsFromZeroWhenADisabledPeerComesBack) {
  TrafficBook book = TrafficBook::open(*database).value();
  book.record(kStart, device(1000, 0));
  book.record(kStart + 3s, device(0, 0));
  book.record(kStart + 6s, device(1500, 0));
  EXPECT_EQ(book.of(key(1)).total.rx_bytes, 2500u);
}

TEST_F(TrafficBookTest, ForgetsARemovedPeer) {
  TrafficBook book = TrafficBook::open(*database).value();
  book.record(kStart, device(1000, 1000, kWall));
  book.forget(key(1));
  EXPECT_EQ(book.of(key(1)).total, storage::Traffic{});
}

TEST_F(TrafficBookTest, LooksLessOftenAtMorePeers) {
  EXPECT_EQ(TrafficBook::interval(0), TrafficBook::kMinInterval);
  EXPECT_EQ(TrafficBook::interval(4000), TrafficBook::kMinInterval);
  EXPECT_EQ(TrafficBook::interval(6000), Duration(3s));
  EXPECT_EQ(TrafficBook::interval(100'000), Duration(50s));
}

}  // namespace
}  // namespace ginnel::server

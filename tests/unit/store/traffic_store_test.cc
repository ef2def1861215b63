#include "store/traffic_store.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <random>

#include "store/server_schema.h"

namespace ginnel::storage {
namespace {

constexpr std::uint64_t kEnd = std::numeric_limits<std::int64_t>::max();

PeerKey key(std::uint8_t number) {
  PeerKey bytes{};
  bytes.fill(number);
  return bytes;
}

Traffic traffic(std::uint64_t rx, std::uint64_t tx) {
  Traffic result;
  result.rx_bytes = rx;
  result.tx_bytes = tx;
  return result;
}

class TrafficStoreTest : public testing::Test {
 protected:
  TrafficStoreTest() {
    std::string name = testing::TempDir() + "ginnel-traffic.XXXXXX";
    directory = mkdtemp(name.data());
    start();
  }
  ~TrafficStoreTest() override { std::filesystem::remove_all(directory); }

  // A program that starts: what was not flushed is gone.
  void start(std::size_t max_peers = TrafficStore::kMaxPeers) {
    store.reset();
    database = std::move(Database::open(directory + "/state.db", server_schema()).value());
    store = std::move(TrafficStore::open(*database, max_peers).value());
  }

  std::string directory;
  std::unique_ptr<Database> database;
  std::optional<TrafficStore> store;
};

TEST_F(TrafficStoreTest, AddsEachRunToTheRunsBefore) {
  EXPECT_EQ(store->record(key(1), traffic(100, 10)).rx_bytes, 100u);
  EXPECT_EQ(store->record(key(1), traffic(150, 10)).rx_bytes, 150u);
  ASSERT_TRUE(store->flush());
  start();
  EXPECT_EQ(store->total(key(1)), traffic(150, 10));
  EXPECT_EQ(store->record(key(1), traffic(0, 0)), traffic(150, 10));
  EXPECT_EQ(store->record(key(1), traffic(7, 1)), traffic(157, 11));
}

TEST_F(TrafficStoreTest, KnowsWhereAPeerWasLastAlsoBeforeItIsHeardAgain) {
  Traffic device = traffic(1, 1);
  device.endpoint = "192.0.2.1:4000";
  store->record(key(1), device);
  device.endpoint = "[2001:db8::1]:4000";
  store->record(key(1), device);
  ASSERT_TRUE(store->flush());
  start();
  EXPECT_EQ(store->record(key(1), traffic(0, 0)).endpoint, "[2001:db8::1]:4000");
}

TEST_F(TrafficStoreTest, TakesALowerCounterForANewStart) {
  store->record(key(1), traffic(100, 100));
  EXPECT_EQ(store->record(key(1), traffic(30, 100)), traffic(130, 100));
}

TEST_F(TrafficStoreTest, KeepsHandshakesAndTheirFailuresByCause) {
  Traffic device;
  device.handshakes = 3;
  device.last_handshake = UnixTime(5s);
  device.failures = {{"bad_mac1", 2}, {"replay", 1}};
  store->record(key(1), device);
  device.failures[1].count = 4;
  store->record(key(1), device);
  ASSERT_TRUE(store->flush());
  start();
  Traffic next;
  next.handshakes = 1;
  next.failures = {{"replay", 1}, {"other", 9}};
  const Traffic total = store->record(key(1), next);
  EXPECT_EQ(total.handshakes, 4u);
  EXPECT_EQ(total.last_handshake, UnixTime(5s));  // The new run has had none.
  EXPECT_EQ(total.failures,
            (std::vector<CauseCount>{{"bad_mac1", 2}, {"replay", 5}, {"other", 9}}));
}

TEST_F(TrafficStoreTest, ForgetsAPeerAndStartsItFromZero) {
  store->record(key(1), traffic(100, 0));
  store->record(key(2), traffic(200, 0));
  ASSERT_TRUE(store->flush());
  store->forget(key(1));
  store->forget(key(3));
  EXPECT_EQ(store->total(key(1)), Traffic{});
  store->record(key(1), traffic(5, 0));
  ASSERT_TRUE(store->flush());
  start();
  EXPECT_EQ(store->total(key(1)), traffic(5, 0));
  EXPECT_EQ(store->total(key(2)), traffic(200, 0));
  store->forget(key(1));
  ASSERT_TRUE(store->flush());
  start();
  EXPECT_EQ(store->size(), 1u);
}

TEST_F(TrafficStoreTest, WritesAllOfAFlushOrNothingAndTriesAgain) {
  store->record(key(1), traffic(1, 1));
  store->record(key(2), traffic(2, 2));
  ASSERT_TRUE(
      database->run("CREATE TRIGGER refuse BEFORE INSERT ON traffic WHEN NEW.rx_bytes = 2 BEGIN "
                    "SELECT RAISE(ABORT, 'refused'); END"));
  EXPECT_FALSE(store->flush());
  auto rows = database->prepare("SELECT count(*) FROM traffic").value();
  ASSERT_TRUE(rows.step().value());
  EXPECT_EQ(rows.integer(0), 0);
  ASSERT_FALSE(rows.step().value());
  ASSERT_TRUE(database->run("DROP TRIGGER refuse"));
  ASSERT_TRUE(store->flush());
  start();
  EXPECT_EQ(store->size(), 2u);
}

TEST_F(TrafficStoreTest, StopsAtTheEndOfItsIntegers) {
  struct Row {
    std::uint64_t first, second, total;
  };
  const Row rows[] = {{kEnd - 2, 1, kEnd - 1}, {kEnd - 2, 2, kEnd}, {kEnd - 2, 3, kEnd}};
  for (std::uint8_t i = 0; i < 3; ++i) {
    SCOPED_TRACE(int{i});
    store->record(key(i), traffic(rows[i].first, 0));
    EXPECT_EQ(store->record(key(i), traffic(rows[i].second, 0)).rx_bytes, rows[i].total);
  }
  store->record(key(9), traffic(std::numeric_limits<std::uint64_t>::max(), 0));
  ASSERT_TRUE(store->flush());
  start();
  EXPECT_EQ(store->total(key(9)).rx_bytes, kEnd);
}

TEST_F(TrafficStoreTest, KeepsAtMostItsLimitOfPeersAndCauses) {
  start(2);
  store->record(key(1), traffic(1, 0));
  store->record(key(2), traffic(2, 0));
  EXPECT_EQ(store->record(key(3), traffic(3, 0)).rx_bytes, 3u);
  EXPECT_EQ(store->size(), 2u);
  EXPECT_EQ(store->record(key(2), traffic(4, 0)).rx_bytes, 4u);
  store->forget(key(1));
  store->record(key(3), traffic(3, 0));
  EXPECT_EQ(store->total(key(3)).rx_bytes, 3u);

  for (const std::size_t causes :
       {TrafficStore::kMaxCauses - 1, TrafficStore::kMaxCauses, TrafficStore::kMaxCauses + 1}) {
    Traffic device;
    for (std::size_t i = 0; i < causes; ++i) device.failures.push_back({std::to_string(i), 1});
    EXPECT_EQ(store->record(key(2), device).failures.size(),
              std::min(causes, TrafficStore::kMaxCauses));
  }
}

TEST_F(TrafficStoreTest, SurvivesRowsThatItWouldNotWrite) {
  ASSERT_TRUE(database->run("INSERT INTO traffic VALUES (randomblob(32), -5, 'x', 1, 1, 'y')"));
  start();
  EXPECT_EQ(store->size(), 1u);
  start(0);
  EXPECT_EQ(store->size(), 0u);
}

// Whatever the runs, restarts and resets of counters: the total is the sum of what was counted.
TEST_F(TrafficStoreTest, NeverLosesAFlushedByte) {
  std::mt19937 random(3);
  std::uint64_t device = 0, sum = 0;
  for (int i = 0; i < 300; ++i) {
    const std::uint64_t growth = random() % 100;
    device += growth;
    sum += growth;
    ASSERT_EQ(store->record(key(1), traffic(device, 0)).rx_bytes, sum);
    if (random() % 10 == 0) {
      ASSERT_TRUE(store->flush());
      start();
      device = 0;
    }
  }
}

}  // namespace
}  // namespace ginnel::storage

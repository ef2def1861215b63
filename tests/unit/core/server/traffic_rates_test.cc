#include "core/server/traffic_rates.h"

#include <gtest/gtest.h>

namespace ginnel::server {
namespace {

crypto::PublicKey key(std::uint8_t first) {
  std::array<std::uint8_t, crypto::kKeySize> bytes{first};
  return crypto::PublicKey(bytes);
}

std::vector<wg::PeerStatus> counters(std::uint64_t rx, std::uint64_t tx) {
  std::vector<wg::PeerStatus> peers(1);
  peers[0].public_key = key(1);
  peers[0].rx_bytes = rx;
  peers[0].tx_bytes = tx;
  return peers;
}

constexpr MonoTime kStart = MonoTime{} + 1h;

TEST(TrafficRates, IsTheAverageBetweenTwoLooks) {
  TrafficRates rates;
  rates.sample(kStart, counters(1000, 500));
  rates.sample(kStart + 4s, counters(5000, 900));

  EXPECT_EQ(rates.of(key(1)), (Rate{1000, 100}));
  EXPECT_EQ(rates.total(), (Rate{1000, 100}));
}

TEST(TrafficRates, IsZeroUntilThereAreTwoLooks) {
  TrafficRates rates;
  EXPECT_EQ(rates.of(key(1)), Rate{});
  rates.sample(kStart, counters(1000, 500));
  EXPECT_EQ(rates.of(key(1)), Rate{});
  EXPECT_EQ(rates.of(key(2)), Rate{});
}

// One peer that receives 1000 bytes a second, and from the tenth second on nothing.
std::uint64_t received_at(Duration time) {
  return static_cast<std::uint64_t>(std::min(time, Duration(10s)) / 1ms);
}

TEST(TrafficRates, SpansTheSameTimeHoweverOftenSomebodyLooks) {
  for (const Duration interval : {Duration(10ms), Duration(500ms), Duration(1s), Duration(3s)}) {
    SCOPED_TRACE(interval.count());
    TrafficRates rates;
    for (Duration at{}; at <= 9s; at += interval) {
      rates.sample(kStart + at, counters(received_at(at), 0));
    }
    EXPECT_NEAR(rates.of(key(1)).rx_bytes_per_second, 1000, 1);
    const Duration quiet = 10s + 2 * std::max(interval, TrafficRates::kMinWindow) + interval;
    for (Duration at{9s + interval}; at <= quiet; at += interval) {
      rates.sample(kStart + at, counters(received_at(at), 0));
    }
    EXPECT_EQ(rates.of(key(1)), Rate{});
  }
}

TEST(TrafficRates, ForgetsWhatWasBeforeTheWindow) {
  TrafficRates rates;
  rates.sample(kStart, counters(0, 0));
  rates.sample(kStart + 3s, counters(900'000, 900'000));
  rates.sample(kStart + 6s, counters(900'000, 900'300));

  EXPECT_EQ(rates.of(key(1)), (Rate{0, 100}));
}

TEST(TrafficRates, IsZeroWhenCountersBeganAgain) {
  TrafficRates rates;
  rates.sample(kStart, counters(1000, 1000));
  rates.sample(kStart + 3s, counters(10, 10));
  EXPECT_EQ(rates.of(key(1)), Rate{});
}

TEST(TrafficRates, ForgetsPeersThatAreGone) {
  TrafficRates rates;
  rates.sample(kStart, counters(1000, 1000));
  rates.sample(kStart + 3s, counters(4000, 4000));
  rates.sample(kStart + 6s, {});
  EXPECT_EQ(rates.of(key(1)), Rate{});
  EXPECT_EQ(rates.total(), Rate{});
}

TEST(TrafficRates, IsZeroForLooksAtTheSameMoment) {
  TrafficRates rates;
  rates.sample(kStart, counters(0, 0));
  rates.sample(kStart, counters(4000, 4000));
  EXPECT_EQ(rates.of(key(1)), Rate{});
}

}  // namespace
}  // namespace ginnel::server

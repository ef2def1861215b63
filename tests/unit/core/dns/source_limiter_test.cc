#include "core/dns/source_limiter.h"

#include <gtest/gtest.h>

namespace ginnel::dns {
namespace {

constexpr MonoTime kStart{};

net::Prefix source(std::string_view text) {
  return source_network(net::Address::parse(text).value());
}

TEST(SourceLimiter, LetsABurstThroughAndThenOneAnInterval) {
  SourceLimiter limiter;
  for (int i = 0; i < SourceLimiter::kBurst; ++i) {
    ASSERT_TRUE(limiter.admit(kStart, source("192.0.2.1"))) << i;
  }
  EXPECT_FALSE(limiter.admit(kStart, source("192.0.2.1")));
  EXPECT_TRUE(limiter.admit(kStart, source("192.0.2.2")));
  EXPECT_TRUE(limiter.admit(kStart + SourceLimiter::kInterval, source("192.0.2.1")));
  EXPECT_FALSE(limiter.admit(kStart + SourceLimiter::kInterval, source("192.0.2.1")));
}

TEST(SourceLimiter, TakesANetworkOfIpv6ForOneSource) {
  EXPECT_EQ(source("2001:db8::1"), source("2001:db8::ffff:1"));
  EXPECT_NE(source("2001:db8::1"), source("2001:db8:0:1::1"));
}

TEST(SourceLimiter, RemembersNoMoreThanItMay) {
  SourceLimiter limiter;
  const net::Address first = net::Address::v4({10, 0, 0, 0});
  for (std::size_t i = 0; i < SourceLimiter::kMaxSources; ++i) {
    ASSERT_TRUE(limiter.admit(kStart, source_network(first.plus(i))));
  }
  const net::Prefix late = source_network(first.plus(SourceLimiter::kMaxSources));
  EXPECT_FALSE(limiter.admit(kStart, late));
  EXPECT_EQ(limiter.size(), SourceLimiter::kMaxSources);
  // They have all been quiet since.
  EXPECT_TRUE(limiter.admit(kStart + SourceLimiter::kSweepInterval, late));
  EXPECT_EQ(limiter.size(), 1u);
}

}  // namespace
}  // namespace ginnel::dns

#include "core/dns/upstreams.h"

#include <gtest/gtest.h>

namespace ginnel::dns {
namespace {

constexpr MonoTime kStart{};

std::vector<net::Endpoint> servers(std::size_t count) {
  std::vector<net::Endpoint> list;
  for (std::size_t i = 0; i < count; ++i) {
    list.push_back({.address = net::Address::v4({192, 0, 2, 1}).plus(i), .port = 53});
  }
  return list;
}

TEST(Upstreams, AreTakenInTheirOrder) {
  Upstreams upstreams(servers(2));
  EXPECT_EQ(upstreams.choose(kStart, 0b00), 0u);
  EXPECT_EQ(upstreams.choose(kStart, 0b01), 1u);
  EXPECT_EQ(upstreams.choose(kStart, 0b11), std::nullopt);
  EXPECT_EQ(Upstreams().choose(kStart, 0), std::nullopt);
}

TEST(Upstreams, AreAtMostEight) {
  EXPECT_EQ(Upstreams(servers(Upstreams::kMaxUpstreams)).size(), Upstreams::kMaxUpstreams);
  EXPECT_EQ(Upstreams(servers(Upstreams::kMaxUpstreams + 1)).size(), Upstreams::kMaxUpstreams);
}

TEST(Upstreams, AreAskedOnceInAWhileWhileTheyAreSilent) {
  Upstreams upstreams(servers(1));
  for (unsigned i = 0; i < Upstreams::kMaxSilences; ++i) {
    ASSERT_TRUE(upstreams.choose(kStart, 0)) << i;
    upstreams.note_silence(kStart, 0);
  }
  EXPECT_FALSE(upstreams.choose(kStart + Upstreams::kRest - 1ns, 0));
  EXPECT_TRUE(upstreams.choose(kStart + Upstreams::kRest, 0));
  EXPECT_FALSE(upstreams.choose(kStart + Upstreams::kRest, 0));
  upstreams.note_answer(0);
  EXPECT_TRUE(upstreams.choose(kStart + Upstreams::kRest, 0));
  EXPECT_TRUE(upstreams.choose(kStart + Upstreams::kRest, 0));
}

}  // namespace
}  // namespace ginnel::dns

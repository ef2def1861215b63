#include "core/config/address_pool.h"

#include <gtest/gtest.h>

#include <random>
#include <set>

namespace ginnel::config {
namespace {

net::Prefix prefix(std::string_view text) { return net::Prefix::parse(text).value(); }
net::Address address(std::string_view text) { return net::Address::parse(text).value(); }

struct CountingRng final : Rng {
  void fill(ByteSpan out) override {
    for (std::uint8_t& byte : out) byte = next++;
  }
  std::uint8_t next = 1;
};

TEST(AddressPool, GivesTheSameHostNumberInBothSubnets) {
  AddressPool pool({prefix("10.200.100.0/24"), prefix("fd12:3456:789a:1::/64")});
  pool.claim(prefix("10.200.100.1/32"));

  const auto first = pool.allocate();

  ASSERT_TRUE(first);
  EXPECT_EQ(first->v4.to_string(), "10.200.100.2");
  EXPECT_EQ(first->v6->to_string(), "fd12:3456:789a:1::2");
  EXPECT_EQ(pool.allocate()->v4.to_string(), "10.200.100.3");
}

TEST(AddressPool, GivesNeitherNetworkNorBroadcastAndFailsByNameWhenExhausted) {
  AddressPool pool({prefix("192.168.9.64/29"), std::nullopt});
  std::set<std::string> given;
  EXPECT_EQ(pool.free_count(), 6u);
  for (int i = 0; i < 6; ++i) given.insert(pool.allocate()->v4.to_string());
  EXPECT_EQ(given, (std::set<std::string>{"192.168.9.65", "192.168.9.66", "192.168.9.67",
                                          "192.168.9.68", "192.168.9.69", "192.168.9.70"}));
  EXPECT_EQ(pool.free_count(), 0u);
  const auto refused = pool.allocate();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::Exhausted);
  EXPECT_EQ(refused.error().message,
            "subnet 192.168.9.64/29 has no free address left: remove a peer, or give the server a "
            "larger one with --subnet");
}

TEST(AddressPool, SkipsWhatIsClaimedInEitherFamily) {
  struct Row {
    const char* claim;
    const char* next;  // What a pool without any claim but the server's gives next.
  };
  const Row rows[] = {
      {"10.0.0.2/32", "10.0.0.3"},
      {"10.0.0.3/32", "10.0.0.2"},
      {"10.0.0.0/25", "10.0.0.128"},
      {"fd00::2/128", "10.0.0.3"},
      {"fd00::/125", "10.0.0.8"},
      {"fd00::100/128", "10.0.0.2"},  // Beyond the IPv4 subnet.
      {"fd00::1:0:0:2/128", "10.0.0.2"},
      {"192.0.2.2/32", "10.0.0.2"},
      {"10.0.0.0/24", ""},
      {"0.0.0.0/0", ""},
      {"::/0", ""},
      {"fd00::/120", ""},
      {"fd00::/119", ""},
      {"fd00::/64", ""},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.claim);
    AddressPool pool({prefix("10.0.0.0/24"), prefix("fd00::/64")});
    pool.claim(prefix("10.0.0.1/32"));
    pool.claim(prefix(row.claim));
    const auto next = pool.allocate();
    EXPECT_EQ(next ? next->v4.to_string() : "", row.next);
  }
}

TEST(AddressPool, KnowsWhichAddressesAreFree) {
  AddressPool pool({prefix("10.0.0.0/24"), prefix("fd00::/64")});
  pool.claim(prefix("10.0.0.4/30"));
  struct Row {
    const char* address;
    bool is_free;
  };
  const Row rows[] = {
      {"10.0.0.0", false},  {"10.0.0.1", true}, {"10.0.0.3", true},   {"10.0.0.4", false},
      {"10.0.0.7", false},  {"10.0.0.8", true}, {"10.0.0.254", true}, {"10.0.0.255", false},
      {"10.0.1.1", false},  {"fd00::3", true},  {"fd00::4", false},   {"fd00::ff", false},
      {"fd00::100", false}, {"fd01::3", false},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.address);
    EXPECT_EQ(pool.is_free(address(row.address)), row.is_free);
  }
}

// Against a plain set of host numbers.
TEST(AddressPool, NeverGivesAnAddressTwice) {
  std::mt19937 random(7);
  for (int round = 0; round < 50; ++round) {
    AddressPool pool({prefix("10.0.0.0/22"), std::nullopt});
    std::set<std::uint32_t> taken = {0, 1023};
    while (taken.size() < 1024) {
      if (random() % 4 == 0) {
        const auto bits = static_cast<unsigned>(random() % 5);
        const auto host = static_cast<std::uint32_t>(random() % 1024);
        const net::Prefix range = net::Prefix::masking(address("10.0.0.0").plus(host), 32 - bits);
        pool.claim(range);
        for (std::uint32_t i = 0; i < 1u << bits; ++i) taken.insert((host >> bits << bits) + i);
      } else {
        std::uint32_t lowest = 0;
        while (taken.contains(lowest)) ++lowest;
        ASSERT_EQ(pool.allocate()->v4, address("10.0.0.0").plus(lowest));
        taken.insert(lowest);
      }
      ASSERT_EQ(pool.free_count(), 1024 - taken.size());
    }
    EXPECT_FALSE(pool.allocate());
  }
}

TEST(CheckSubnet, AcceptsWhatHasRoomAndIsForHosts) {
  struct Row {
    const char* v4;
    bool is_good;
  };
  const Row rows[] = {
      {"10.200.100.0/24", true}, {"10.0.0.0/8", true},    {"10.0.0.0/7", false},
      {"10.0.0.0/30", true},     {"10.0.0.0/31", false},  {"10.0.0.0/32", false},
      {"127.0.0.0/24", false},   {"224.0.0.0/24", false}, {"169.254.0.0/16", false},
      {"0.0.0.0/24", false},     {"240.0.0.0/24", false}, {"203.0.113.0/24", true},
      {"fd00::/64", false},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.v4);
    EXPECT_EQ(check_subnet(net::Prefix::parse_masking(row.v4).value()).has_value(), row.is_good);
  }
}

TEST(CheckSubnet6, NeedsAsManyHostsAsTheIpv4Subnet) {
  struct Row {
    const char* v4;
    const char* v6;
    bool is_good;
  };
  const Row rows[] = {
      {"10.0.0.0/24", "fd00::/64", true},       {"10.0.0.0/24", "fd00::/120", true},
      {"10.0.0.0/24", "fd00::/121", false},     {"10.0.0.0/8", "fd00::/104", true},
      {"10.0.0.0/8", "fd00::/105", false},      {"10.0.0.0/24", "fd00::/16", true},
      {"10.0.0.0/24", "fc00::/15", false},      {"10.0.0.0/24", "fe80::/64", false},
      {"10.0.0.0/24", "ff02::/64", false},      {"10.0.0.0/24", "::/64", false},
      {"10.0.0.0/24", "2001:db8:1::/64", true}, {"10.0.0.0/24", "10.1.0.0/24", false},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.v6);
    EXPECT_EQ(check_subnet6(prefix(row.v4), prefix(row.v6)).has_value(), row.is_good);
  }
}

TEST(ChooseSubnet6, IsAUniqueLocalSlash64) {
  CountingRng rng;
  const net::Prefix subnet = choose_subnet6(rng);
  EXPECT_EQ(subnet.to_string(), "fd02:304:506:708::/64");
  EXPECT_TRUE(check_subnet6(prefix("10.200.100.0/24"), subnet));
}

}  // namespace
}  // namespace ginnel::config

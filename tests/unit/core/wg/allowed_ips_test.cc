#include "core/wg/allowed_ips.h"

#include <gtest/gtest.h>

#include <thread>

#include "support/seeded_rng.h"

namespace ginnel::wg {
namespace {

net::Prefix prefix(std::string_view text) { return net::Prefix::parse(text).value(); }
net::Address address(std::string_view text) { return net::Address::parse(text).value(); }

struct Table {
  EpochDomain epochs;
  AllowedIps ips{epochs};
};

TEST(AllowedIps, TheLongestPrefixWins) {
  Table table;
  ASSERT_TRUE(table.ips.insert(prefix("0.0.0.0/0"), PeerSlot{1}));
  ASSERT_TRUE(table.ips.insert(prefix("10.0.0.0/8"), PeerSlot{2}));
  ASSERT_TRUE(table.ips.insert(prefix("10.1.0.0/16"), PeerSlot{3}));
  ASSERT_TRUE(table.ips.insert(prefix("10.1.2.3/32"), PeerSlot{4}));
  ASSERT_TRUE(table.ips.insert(prefix("2001:db8::/32"), PeerSlot{5}));
  ASSERT_TRUE(table.ips.insert(prefix("2001:db8::1/128"), PeerSlot{6}));

  const std::pair<const char*, PeerSlot> rows[] = {
      {"8.8.8.8", PeerSlot{1}},  {"10.255.0.1", PeerSlot{2}},      {"10.1.2.4", PeerSlot{3}},
      {"10.1.2.3", PeerSlot{4}}, {"2001:db8::2", PeerSlot{5}},     {"2001:db8::1", PeerSlot{6}},
      {"2001:db9::1", kNoPeer},  {"255.255.255.255", PeerSlot{1}},
  };
  for (const auto& [text, peer] : rows) {
    SCOPED_TRACE(text);
    EXPECT_EQ(table.ips.find(address(text)), peer);
  }
}

TEST(AllowedIps, APrefixMovesToThePeerThatClaimsItLast) {
  Table table;
  ASSERT_TRUE(table.ips.insert(prefix("10.0.0.0/24"), PeerSlot{1}));
  ASSERT_TRUE(table.ips.insert(prefix("10.0.0.0/24"), PeerSlot{2}));

  EXPECT_EQ(table.ips.owner(prefix("10.0.0.0/24")), PeerSlot{2});
  EXPECT_EQ(table.ips.size(), 1u);
  int visited = 0;
  table.ips.for_each(PeerSlot{1}, [&](const net::Prefix&) { ++visited; });
  EXPECT_EQ(visited, 0);
}

TEST(AllowedIps, AnotherPeersPrefixIsNotRemoved) {
  Table table;
  ASSERT_TRUE(table.ips.insert(prefix("10.0.0.0/24"), PeerSlot{1}));

  table.ips.remove(prefix("10.0.0.0/24"), PeerSlot{2});
  table.ips.remove(prefix("10.0.0.0/25"), PeerSlot{1});

  EXPECT_EQ(table.ips.find(address("10.0.0.1")), PeerSlot{1});
}

// Against a model that cannot be wrong: a list, searched whole. Few distinct bits, so that prefixes
// nest, meet and part everywhere.
template <class MakeAddress>
void compare_with_a_list(MakeAddress make_address, unsigned bits, std::uint64_t seed) {
  Table table;
  test::SeededRng rng(seed);
  std::map<net::Prefix, PeerSlot> model;
  for (int step = 0; step < 6000; ++step) {
    const auto p = net::Prefix::masking(make_address(rng), unsigned(rng.below(bits + 1)));
    const PeerSlot peer{static_cast<std::uint32_t>(rng.below(5))};
    switch (rng.below(8)) {
      case 0:
        table.ips.remove_all(peer);
        std::erase_if(model, [&](const auto& entry) { return entry.second == peer; });
        break;
      case 1:
      case 2:
        if (auto it = model.find(p); it != model.end() && it->second == peer) model.erase(it);
        table.ips.remove(p, peer);
        break;
      default:
        ASSERT_TRUE(table.ips.insert(p, peer));
        model[p] = peer;
    }
    if (step % 3 == 0) table.epochs.collect();
    ASSERT_EQ(table.ips.size(), model.size());

    const net::Address probe = make_address(rng);
    PeerSlot expected = kNoPeer;
    int longest = -1;
    for (const auto& [known, owner] : model) {
      if (known.contains(probe) && int(known.length()) > longest) {
        longest = int(known.length());
        expected = owner;
      }
    }
    ASSERT_EQ(table.ips.find(probe), expected) << probe.to_string() << " at step " << step;
    std::size_t visited = 0;
    table.ips.for_each(peer, [&](const net::Prefix& own) {
      ++visited;
      EXPECT_EQ(model.at(own), peer);
    });
    ASSERT_EQ(visited, std::size_t(std::count_if(model.begin(), model.end(),
                                                 [&](const auto& e) { return e.second == peer; })));
  }
}

TEST(AllowedIps, AgreesWithAListOnRandomIpv4Changes) {
  compare_with_a_list(
      [](Rng& rng) {
        return net::Address::v4({10, std::uint8_t(rng.below(4) << 6), std::uint8_t(rng.below(2)),
                                 std::uint8_t(rng.below(4))});
      },
      32, 1);
}

TEST(AllowedIps, AgreesWithAListOnRandomIpv6Changes) {
  compare_with_a_list(
      [](Rng& rng) {
        std::array<std::uint8_t, 16> bytes{0x20, 0x01};
        bytes[7] = std::uint8_t(rng.below(4));
        bytes[8] = std::uint8_t(rng.below(2) << 7);
        bytes[15] = std::uint8_t(rng.below(4));
        return net::Address::v6(bytes);
      },
      128, 2);
}

// As compare_with_a_list, for a table too large to be searched whole: every length is tried.
TEST(AllowedIps, AgreesWithAMapOnAHundredThousandEntriesThatMoveBetweenPeers) {
  constexpr std::uint32_t kPeers = 50;
  constexpr std::size_t kEntries = 100'000;
  Table table;
  test::SeededRng rng(3);
  std::map<net::Prefix, PeerSlot> model;
  const auto random_address = [&] {
    std::array<std::uint8_t, 16> bytes{};
    rng.fill(bytes);
    const std::size_t size = rng.below(2) == 0 ? 4 : 16;
    bytes[0] = size == 4 ? 10 : 0xfd;
    bytes[1] &= 3;  // Dense enough that prefixes nest.
    return net::Address::from_bytes(ByteView(bytes).first(size));
  };
  const auto expected_at = [&](const net::Address& address) {
    for (unsigned length = address.bits() + 1; length-- > 0;) {
      const auto found = model.find(net::Prefix::masking(address, length));
      if (found != model.end()) return found->second;
    }
    return kNoPeer;
  };
  const auto expect_same_at = [&](const net::Address& address, std::size_t step) {
    ASSERT_EQ(table.ips.find(address), expected_at(address))
        << address.to_string() << " at step " << step;
  };
  std::vector<net::Prefix> known;
  for (std::size_t step = 0; model.size() < kEntries || step % 1000 != 0; ++step) {
    const PeerSlot peer{static_cast<std::uint32_t>(rng.below(kPeers))};
    const bool moves = !known.empty() && rng.below(3) == 0;
    const net::Address address = random_address();
    const net::Prefix fresh =
        net::Prefix::masking(address, 8 + unsigned(rng.below(address.bits() - 7)));
    const net::Prefix prefix = moves ? known[rng.below(known.size())] : fresh;
    if (rng.below(10) == 0) {
      table.ips.remove(prefix, peer);
      if (const auto it = model.find(prefix); it != model.end() && it->second == peer) {
        model.erase(it);
      }
    } else {
      ASSERT_TRUE(table.ips.insert(prefix, peer));
      if (model.insert_or_assign(prefix, peer).second) known.push_back(prefix);
    }
    if (step % 64 == 0) {
      table.epochs.collect();
      ASSERT_NO_FATAL_FAILURE(expect_same_at(prefix.last(), step));
      ASSERT_NO_FATAL_FAILURE(expect_same_at(random_address(), step));
    }
  }
  for (std::uint32_t peer = 0; peer < kPeers; ++peer) {
    table.ips.for_each(PeerSlot{peer},
                       [&](const net::Prefix& own) { ASSERT_EQ(model.at(own), PeerSlot{peer}); });
  }
  for (std::uint32_t peer = 0; peer < kPeers; ++peer) {
    table.ips.remove_all(PeerSlot{peer});
    std::erase_if(model, [&](const auto& entry) { return entry.second == PeerSlot{peer}; });
    ASSERT_EQ(table.ips.size(), model.size());
    for (int i = 0; i < 20; ++i) {
      ASSERT_NO_FATAL_FAILURE(expect_same_at(random_address(), peer));
    }
  }
  EXPECT_EQ(table.ips.size(), 0u);
}

TEST(AllowedIps, HoldsAHundredThousandEntries) {
  Table table;
  const net::Address first = address("10.0.0.0");
  for (std::uint32_t i = 0; i < 100'000; ++i) {
    ASSERT_TRUE(table.ips.insert(net::Prefix::host(first.plus(i)), PeerSlot{i}));
  }
  for (std::uint32_t i = 0; i < 100'000; i += 997) {
    EXPECT_EQ(table.ips.find(first.plus(i)), PeerSlot{i});
  }
}

// A worker must see the old owner or the new one of a prefix that moves, never a shorter prefix's,
// and must survive nodes being taken out under it.
TEST(AllowedIps, ReadersNeverSeeAGapWhileAPrefixMoves) {
  Table table;
  ASSERT_TRUE(table.ips.insert(prefix("0.0.0.0/0"), PeerSlot{9}));
  ASSERT_TRUE(table.ips.insert(prefix("10.0.0.0/24"), PeerSlot{0}));
  std::atomic<bool> stop{false};
  std::atomic<int> wrong{0};
  std::thread reader([&] {
    EpochDomain::Reader turn(table.epochs);
    while (!stop.load()) {
      turn.enter();
      for (int i = 0; i < 64; ++i) {
        const PeerSlot found = table.ips.find(address("10.0.0.1"));
        if (found != PeerSlot{0} && found != PeerSlot{1}) ++wrong;
      }
      turn.leave();
    }
  });
  for (std::uint32_t i = 0; i < 20'000; ++i) {
    table.ips.insert(prefix("10.0.0.0/24"), PeerSlot{i % 2});
    table.ips.insert(prefix("10.0.0.0/16"), PeerSlot{9});
    table.ips.insert(prefix("10.0.0.128/25"), PeerSlot{9});
    table.ips.remove(prefix("10.0.0.0/16"), PeerSlot{9});
    table.ips.remove(prefix("10.0.0.128/25"), PeerSlot{9});
    table.epochs.collect();
  }
  stop = true;
  reader.join();
  EXPECT_EQ(wrong.load(), 0);
}

}  // namespace
}  // namespace ginnel::wg

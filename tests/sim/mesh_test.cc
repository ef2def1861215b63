// Twenty devices that all know each other, on a network that loses, duplicates, delays and damages,
// some behind NATs that rebind, for hours.
#include <gtest/gtest.h>

#include <set>

#include "sim/pair.h"

namespace ginnel::sim {
namespace {

constexpr std::size_t kNodes = 20;
constexpr std::size_t kBehindNat = 5;       // Of them; the others are public.
constexpr std::size_t kPhone = kNodes - 1;  // Public, and moves.
constexpr std::size_t kMtu = 1420;

class Mesh {
 public:
  explicit Mesh(std::uint64_t seed) : sim_(seed), rng_(seed ^ 0xa5a5) {
    for (std::size_t i = 0; i < kNodes; ++i) {
      nodes_.push_back(i < kBehindNat ? &sim_.add_node_behind_nat("nat")
                                      : &sim_.add_node("public"));
    }
    for (std::size_t i = 0; i < kNodes; ++i) {
      for (std::size_t j = i + 1; j < kNodes; ++j) {
        sim_.introduce(*nodes_[i], *nodes_[j], true, !is_behind_nat(i), i * kNodes + j);
        if (is_behind_nat(i) && !is_behind_nat(j)) keep_alive(*nodes_[i], *nodes_[j]);
      }
    }
  }

  static bool is_behind_nat(std::size_t i) { return i < kBehindNat; }
  // Nobody behind a NAT can be reached by one who is too, nor by one who has moved.
  static bool can_talk(std::size_t i, std::size_t j) {
    const bool both_move = (is_behind_nat(i) || i == kPhone) && (is_behind_nat(j) || j == kPhone);
    return i != j && !both_move;
  }

  // Each node sends to a random other now and then, packets of any size. A phone may roam and NATs
  // may forget.
  enum class Places { Stay, Change };
  void live_for(Duration duration, Places places) {
    const MonoTime end = sim_.now().mono + duration;
    while (sim_.now().mono < end) {
      const std::size_t from = rng_.below(kNodes), to = rng_.below(kNodes);
      if (can_talk(from, to)) send(from, to);
      if (places == Places::Change) {
        if (rng_.below(500) == 0) sim_.rebind(*nodes_[rng_.below(kBehindNat)]);
        if (rng_.below(3000) == 0) sim_.move(*nodes_[kPhone]);
      }
      sim_.run_for(Duration(std::chrono::milliseconds(rng_.below(400))));
      if (rng_.below(100) == 0) take_delivered();
    }
    take_delivered();
  }

  // On a network that has healed, every pair that can talk does, both ways.
  void expect_that_all_can_talk() {
    sim_.set_quality(kCleanLink);
    send_to_all();  // Tells everybody where it is, and shakes hands where that is due.
    sim_.run_for(30s);
    take_delivered();
    delivered_.clear();
    const std::size_t expected = send_to_all();
    sim_.run_for(1s);
    take_delivered();
    EXPECT_EQ(delivered_.size(), expected);
  }
  void finish() {
    sim_.run_for(10s);
    take_delivered();
  }

  Simulation& sim() { return sim_; }
  std::size_t sent() const { return sent_.size(); }
  std::size_t delivered() const { return delivered_.size(); }
  void expect_that_nothing_piles_up() const {
    for (const SimNode* node : nodes_) {
      // Previous, current and next session of each peer, and a handshake.
      EXPECT_LE(const_cast<SimNode*>(node)->tables().sessions.size(), 4 * (kNodes - 1));
      EXPECT_LE(const_cast<SimNode*>(node)->tables().epochs.waiting(), 4 * (kNodes - 1));
    }
  }

 private:
  struct Sent {
    std::size_t to;
    std::vector<std::uint8_t> bytes;
  };

  void keep_alive(SimNode& node, SimNode& peer) {
    wg::PeerChange change{.public_key = peer.public_key()};
    change.persistent_keepalive_seconds = 25;
    sim_.configure(node, change_of(std::move(change)));
  }
  std::size_t send_to_all() {
    std::size_t count = 0;
    for (std::size_t i = 0; i < kNodes; ++i) {
      for (std::size_t j = 0; j < kNodes; ++j) {
        if (!can_talk(i, j)) continue;
        send(i, j);
        ++count;
      }
    }
    return count;
  }
  void send(std::size_t from, std::size_t to) {
    const std::size_t size = 48 + rng_.below(kMtu - 48 + 1);
    auto packet = sim_.packet(*nodes_[from], *nodes_[to], sent_.size(), size, rng_.below(2) == 0);
    sim_.send_packet(*nodes_[from], packet);
    sent_.push_back({to, std::move(packet)});
  }
  // Whatever arrives was sent to whom it arrives at, byte for byte, and arrives once.
  void take_delivered() {
    for (std::size_t i = 0; i < kNodes; ++i) {
      for (const auto& packet : nodes_[i]->delivered) {
        const std::uint64_t number = number_in(packet);
        ASSERT_LT(number, sent_.size());
        EXPECT_EQ(sent_[number].to, i);
        EXPECT_EQ(sent_[number].bytes, packet);
        EXPECT_TRUE(delivered_.insert(number).second) << number << " arrived twice";
      }
      nodes_[i]->delivered.clear();
    }
  }

  Simulation sim_;
  test::SeededRng rng_;
  std::vector<SimNode*> nodes_;
  std::vector<Sent> sent_;
  std::set<std::uint64_t> delivered_;
};

TEST(Mesh, HoursOnAnUnkindNetworkLoseLittleMoreThanTheNetworkDoes) {
  Mesh mesh(1);
  mesh.live_for(2h, Mesh::Places::Change);
  mesh.finish();
  EXPECT_GT(mesh.sent(), 30'000u);
  EXPECT_GT(double(mesh.delivered()), 0.8 * double(mesh.sent()));
  mesh.expect_that_nothing_piles_up();
  mesh.expect_that_all_can_talk();
}

TEST(Mesh, APathOfExactlyTheMtuLosesNothing) {
  Mesh mesh(2);
  LinkQuality tight = kCleanLink;
  tight.mtu = kMtu + 80;  // 32 bytes of WireGuard, 48 of UDP and IPv6.
  mesh.sim().set_quality(tight);
  mesh.live_for(10min, Mesh::Places::Stay);
  mesh.finish();
  EXPECT_EQ(mesh.delivered(), mesh.sent());
}

TEST(Mesh, TheSameSeedGivesTheSameBytes) {
  const auto run = [](std::uint64_t seed) {
    Mesh mesh(seed);
    mesh.live_for(5min, Mesh::Places::Change);
    return mesh.sim().digest();
  };
  const std::uint64_t first = run(3);
  EXPECT_EQ(run(3), first);
  EXPECT_NE(run(4), first);
}

}  // namespace
}  // namespace ginnel::sim

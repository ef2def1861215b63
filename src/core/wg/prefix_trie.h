// A path-compressed binary trie over one address family, readable while it is changed. AllowedIps
// is its only user and documents the threads.
#pragma once

#include <bit>
#include <vector>

#include "base/bytes.h"
#include "base/epoch.h"
#include "core/wg/chunked_array.h"
#include "core/wg/peer_slot.h"

namespace ginnel::wg {

// An address as integers, so that comparing prefixes is a few instructions.
struct V4Key {
  static constexpr unsigned kBits = 32;
  std::uint32_t bits = 0;

  static V4Key load(const std::uint8_t* bytes) { return {ginnel::load<Be32>(ByteView(bytes, 4))}; }
  void store(std::uint8_t* bytes) const { ginnel::store<Be32>(ByteSpan(bytes, 4), bits); }
  unsigned bit(unsigned index) const { return (bits >> (31 - index)) & 1; }
  // How many leading bits the two have in common.
  static unsigned common(V4Key a, V4Key b) {
    return static_cast<unsigned>(std::countl_zero(a.bits ^ b.bits));
  }
};

struct V6Key {
  static constexpr unsigned kBits = 128;
  std::uint64_t high = 0;
  std::uint64_t low = 0;

  static V6Key load(const std::uint8_t* bytes) {
    return {ginnel::load<Be64>(ByteView(bytes, 8)), ginnel::load<Be64>(ByteView(bytes + 8, 8))};
  }
  void store(std::uint8_t* bytes) const {
    ginnel::store<Be64>(ByteSpan(bytes, 8), high);
    ginnel::store<Be64>(ByteSpan(bytes + 8, 8), low);
  }
  unsigned bit(unsigned index) const {
    return static_cast<unsigned>(index < 64 ? (high >> (63 - index)) & 1
                                            : (low >> (127 - index)) & 1);
  }
  static unsigned common(V6Key a, V6Key b) {
    if (a.high != b.high) return static_cast<unsigned>(std::countl_zero(a.high ^ b.high));
    return 64 + static_cast<unsigned>(std::countl_zero(a.low ^ b.low));
  }
};

template <class Key>
class PrefixTrie {
 public:
  static constexpr std::uint32_t kMaxEntries = 1u << 20;

  explicit PrefixTrie(EpochDomain& epochs) : epochs_(epochs) {}
  // The epochs' pending disposals refer to this trie.
  ~PrefixTrie() { epochs_.collect(); }

  // Any thread, inside an epoch: the owner of the longest prefix of `key`.
  PeerSlot find(Key key) const {
    PeerSlot best = kNoPeer;
    std::uint32_t index = root_.load(std::memory_order_acquire);
    while (index != kNil) {
      const Node& node = nodes_[index];
      if (Key::common(node.key, key) < node.length) break;
      const PeerSlot peer = node.peer.load(std::memory_order_acquire);
      if (peer != kNoPeer) best = peer;
      if (node.length == Key::kBits) break;
      index = node.child[key.bit(node.length)].load(std::memory_order_acquire);
    }
    return best;
  }

  // REQUIRES from here on: the owner thread; the bits of `key` behind `length` are zero.
  bool insert(Key key, unsigned length, PeerSlot peer);
  void remove(Key key, unsigned length, PeerSlot peer);
  void remove_all(PeerSlot peer);
  PeerSlot owner(Key key, unsigned length) const;
  std::size_t size() const { return size_; }

  // Calls visit(key, length) for each prefix of `peer`.
  template <class Visit>
  void for_each(PeerSlot peer, Visit&& visit) const {
    for (std::uint32_t i = first_of(peer); i != kNil; i = nodes_[i].next) {
      visit(nodes_[i].key, nodes_[i].length);
    }
  }

 private:
  static constexpr std::uint32_t kNil = 0xffffffff;

  // Key and length are fixed before the node is linked; links and owner change under readers. The
  // other members belong to the owner thread. A node without an owner only joins two branches.
  struct Node {
    Key key{};
    std::uint32_t length = 0;
    std::atomic<PeerSlot> peer{kNoPeer};
    std::atomic<std::uint32_t> child[2] = {kNil, kNil};
    std::uint32_t parent = kNil;
    std::uint32_t next = kNil;  // The peer's other prefixes; also chains free nodes.
    std::uint32_t previous = kNil;
  };

  std::uint32_t first_of(PeerSlot peer) const {
    const auto slot = static_cast<std::uint32_t>(peer);
    return slot < first_.size() ? first_[slot] : kNil;
  }
  std::uint32_t locate(Key key, unsigned length) const;
  std::uint32_t make_node(Key key, unsigned length);
  void link(std::uint32_t parent, std::uint32_t index);
  std::uint32_t child_of(std::uint32_t parent, Key key) const;
  void set_owner(std::uint32_t index, PeerSlot peer);
  void chain(std::uint32_t index, PeerSlot peer);
  void unchain(std::uint32_t index, PeerSlot peer);
  void prune(std::uint32_t index);

  EpochDomain& epochs_;
  ChunkedArray<Node, 512, 2 * kMaxEntries / 512> nodes_;
  std::atomic<std::uint32_t> root_{kNil};
  std::uint32_t used_ = 0;
  std::uint32_t free_ = kNil;
  std::size_t size_ = 0;
  std::vector<std::uint32_t> first_;  // By peer slot.
};

extern template class PrefixTrie<V4Key>;
extern template class PrefixTrie<V6Key>;

}  // namespace ginnel::wg

#include "core/wg/prefix_trie.h"

namespace ginnel::wg {
namespace {

V4Key masked(V4Key key, unsigned length) {
  return {length == 0 ? 0 : key.bits & (~std::uint32_t{0} << (32 - length))};
}

V6Key masked(V6Key key, unsigned length) {
  constexpr std::uint64_t kAll = ~std::uint64_t{0};
  if (length == 0) return {0, 0};
  if (length <= 64) return {key.high & (kAll << (64 - length)), 0};
  return {key.high, key.low & (kAll << (128 - length))};
}

}  // namespace

template <class Key>
std::uint32_t PrefixTrie<Key>::child_of(std::uint32_t parent, Key key) const {
  if (parent == kNil) return root_.load(std::memory_order_relaxed);
  const Node& node = nodes_[parent];
  return node.child[key.bit(node.length)].load(std::memory_order_relaxed);
}

// Makes `index` the child of `parent` on the side of its own key. What stood there before is the
// caller's.
template <class Key>
void PrefixTrie<Key>::link(std::uint32_t parent, std::uint32_t index) {
  if (parent == kNil) {
    root_.store(index, std::memory_order_release);
  } else {
    Node& node = nodes_[parent];
    node.child[nodes_[index].key.bit(node.length)].store(index, std::memory_order_release);
  }
  nodes_[index].parent = parent;
}

template <class Key>
std::uint32_t PrefixTrie<Key>::make_node(Key key, unsigned length) {
  std::uint32_t index = free_;
  if (index != kNil) {
    free_ = nodes_[index].next;
  } else {
    index = used_++;
    nodes_.grow_to(used_);
  }
  Node& node = nodes_[index];
  node.key = masked(key, length);
  node.length = length;
  node.peer.store(kNoPeer, std::memory_order_relaxed);
  node.child[0].store(kNil, std::memory_order_relaxed);
  node.child[1].store(kNil, std::memory_order_relaxed);
  node.parent = node.next = node.previous = kNil;
  return index;
}

// The node of exactly this prefix, or kNil.
template <class Key>
std::uint32_t PrefixTrie<Key>::locate(Key key, unsigned length) const {
  std::uint32_t index = root_.load(std::memory_order_relaxed);
  while (index != kNil) {
    const Node& node = nodes_[index];
    if (node.length > length || Key::common(node.key, key) < node.length) return kNil;
    if (node.length == length) return index;
    index = child_of(index, key);
  }
  return kNil;
}

template <class Key>
PeerSlot PrefixTrie<Key>::owner(Key key, unsigned length) const {
  const std::uint32_t index = locate(key, length);
  return index == kNil ? kNoPeer : nodes_[index].peer.load(std::memory_order_relaxed);
}

template <class Key>
bool PrefixTrie<Key>::insert(Key key, unsigned length, PeerSlot peer) {
  std::uint32_t parent = kNil;
  std::uint32_t at = root_.load(std::memory_order_relaxed);
  unsigned common = 0;
  while (at != kNil) {
    common = std::min({Key::common(nodes_[at].key, key), nodes_[at].length, length});
    if (common < nodes_[at].length || common == length) break;
    parent = at;
    at = child_of(at, key);
  }
  if (at != kNil && nodes_[at].length == length && common == length) {
    if (nodes_[at].peer.load(std::memory_order_relaxed) == kNoPeer && size_ >= kMaxEntries) {
      return false;
    }
    set_owner(at, peer);
    return true;
  }
  if (size_ >= kMaxEntries) return false;

  const std::uint32_t added = make_node(key, length);
  if (at == kNil) {
    set_owner(added, peer);
    link(parent, added);
    return true;
  }
  // The new prefix either holds the node it met, or parts from it inside that node's path.
  std::uint32_t top = added;
  if (common < length) {
    top = make_node(key, common);
    nodes_[top].child[key.bit(common)].store(added, std::memory_order_relaxed);
    nodes_[added].parent = top;
  }
  nodes_[top].child[nodes_[at].key.bit(common)].store(at, std::memory_order_relaxed);
  nodes_[at].parent = top;
  set_owner(added, peer);
  link(parent, top);
  return true;
}

// Changes a node's owner in one store: a reader sees the old one or the new one, and never falls
// through to a shorter prefix in between.
template <class Key>
void PrefixTrie<Key>::set_owner(std::uint32_t index, PeerSlot peer) {
  Node& node = nodes_[index];
  const PeerSlot before = node.peer.load(std::memory_order_relaxed);
  if (before != kNoPeer) unchain(index, before);
  if (peer != kNoPeer) chain(index, peer);
  node.peer.store(peer, std::memory_order_release);
}

template <class Key>
void PrefixTrie<Key>::chain(std::uint32_t index, PeerSlot peer) {
  const auto slot = static_cast<std::uint32_t>(peer);
  if (slot >= first_.size()) first_.resize(slot + 1, kNil);
  Node& node = nodes_[index];
  node.previous = kNil;
  node.next = first_[slot];
  if (node.next != kNil) nodes_[node.next].previous = index;
  first_[slot] = index;
  ++size_;
}

template <class Key>
void PrefixTrie<Key>::unchain(std::uint32_t index, PeerSlot peer) {
  const Node& node = nodes_[index];
  if (node.next != kNil) nodes_[node.next].previous = node.previous;
  if (node.previous != kNil) {
    nodes_[node.previous].next = node.next;
  } else {
    first_[static_cast<std::uint32_t>(peer)] = node.next;
  }
  --size_;
}

// Takes out nodes that have no owner and join nothing, from `index` upward.
template <class Key>
void PrefixTrie<Key>::prune(std::uint32_t index) {
  while (index != kNil) {
    Node& node = nodes_[index];
    const std::uint32_t left = node.child[0].load(std::memory_order_relaxed);
    const std::uint32_t right = node.child[1].load(std::memory_order_relaxed);
    if (node.peer.load(std::memory_order_relaxed) != kNoPeer) return;
    if (left != kNil && right != kNil) return;
    const std::uint32_t only = left != kNil ? left : right;
    const std::uint32_t parent = node.parent;
    if (only != kNil) {
      link(parent, only);
    } else if (parent == kNil) {
      root_.store(kNil, std::memory_order_release);
    } else {
      nodes_[parent].child[node.key.bit(nodes_[parent].length)].store(kNil,
                                                                      std::memory_order_release);
    }
    epochs_.retire(std::move_only_function<void()>([this, index] {
      nodes_[index].next = free_;
      free_ = index;
    }));
    if (only != kNil) return;  // The parent still has as many children as before.
    index = parent;
  }
}

template <class Key>
void PrefixTrie<Key>::remove(Key key, unsigned length, PeerSlot peer) {
  const std::uint32_t index = locate(key, length);
  if (index == kNil || nodes_[index].peer.load(std::memory_order_relaxed) != peer) return;
  set_owner(index, kNoPeer);
  prune(index);
}

template <class Key>
void PrefixTrie<Key>::remove_all(PeerSlot peer) {
  for (std::uint32_t index = first_of(peer); index != kNil; index = first_of(peer)) {
    set_owner(index, kNoPeer);
    prune(index);
  }
}

template class PrefixTrie<V4Key>;
template class PrefixTrie<V6Key>;

}  // namespace ginnel::wg

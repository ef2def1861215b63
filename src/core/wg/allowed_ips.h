// Cryptokey routing (whitepaper, section 2): the longest prefix that holds an address names the
// peer. One thread changes the table while workers look addresses up without a lock: links are
// atomic, and nodes that are taken out stay readable until no worker's turn can see them.
#pragma once

#include <functional>
#include <vector>

#include "base/epoch.h"
#include "core/wg/prefix_trie.h"
#include "net/prefix.h"

namespace ginnel::wg {

class AllowedIps {
 public:
  // Per family.
  static constexpr std::uint32_t kMaxEntries = PrefixTrie<V4Key>::kMaxEntries;

  explicit AllowedIps(EpochDomain& epochs) : v4_(epochs), v6_(epochs) {}

  // Any thread, inside an epoch. The peer behind `address`, or kNoPeer. The pointers are to the 4
  // or 16 bytes of a packet's address field.
  PeerSlot find_v4(const std::uint8_t* address) const { return v4_.find(V4Key::load(address)); }
  PeerSlot find_v6(const std::uint8_t* address) const { return v6_.find(V6Key::load(address)); }
  PeerSlot find(const net::Address& address) const;

  // The owner thread from here on.

  // Gives the prefix to `peer`, taking it from any other. Returns false, with nothing changed, when
  // the table is full.
  bool insert(const net::Prefix& prefix, PeerSlot peer);
  // Takes the prefix from `peer`; nothing happens when it is another's.
  void remove(const net::Prefix& prefix, PeerSlot peer);
  void remove_all(PeerSlot peer);

  // The owner of exactly this prefix.
  PeerSlot owner(const net::Prefix& prefix) const;
  // IPv4 first, each family in the order in which the peer got them.
  void for_each(PeerSlot peer, const std::function<void(const net::Prefix&)>& visit) const;
  std::size_t size() const { return v4_.size() + v6_.size(); }
  std::size_t size(net::Family family) const {
    return family == net::Family::V4 ? v4_.size() : v6_.size();
  }

 private:
  PrefixTrie<V4Key> v4_;
  PrefixTrie<V6Key> v6_;
};

}  // namespace ginnel::wg

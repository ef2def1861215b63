// The peers of a device, by slot and by key. The control engine's alone.
#pragma once

#include <memory>
#include <unordered_map>
#include <vector>

#include "base/epoch.h"
#include "core/wg/peer.h"

namespace ginnel::wg {

class PeerTable {
 public:
  explicit PeerTable(EpochDomain& epochs) : epochs_(epochs) {}
  ~PeerTable() { epochs_.collect(); }  // Slots that wait for reuse refer to this table.

  // Null when there is none.
  Peer* find(PeerSlot slot) {
    const auto row = static_cast<std::uint32_t>(slot);
    return row < peers_.size() ? peers_[row].get() : nullptr;
  }
  PeerSlot slot_of(const crypto::PublicKey& key) const {
    const auto found = by_key_.find(key);
    return found == by_key_.end() ? kNoPeer : found->second;
  }

  // REQUIRES: the key is not there yet; size() < kMaxPeers.
  PeerSlot add(const crypto::PublicKey& key);
  // Takes the peer out. Its slot is reused only when no worker can still hold it.
  std::unique_ptr<Peer> remove(PeerSlot slot);
  void reserve(std::size_t count);

  std::size_t size() const { return by_key_.size(); }

  // In the order of slots: the same changes give the same order.
  template <class Visit>
  void for_each(Visit&& visit) {
    for (std::uint32_t row = 0; row < peers_.size(); ++row) {
      if (peers_[row]) visit(PeerSlot{row}, *peers_[row]);
    }
  }
  template <class Visit>
  void for_each(Visit&& visit) const {
    for (std::uint32_t row = 0; row < peers_.size(); ++row) {
      if (peers_[row]) visit(PeerSlot{row}, static_cast<const Peer&>(*peers_[row]));
    }
  }

 private:
  EpochDomain& epochs_;
  std::vector<std::unique_ptr<Peer>> peers_;
  std::vector<std::uint32_t> free_;
  std::unordered_map<crypto::PublicKey, PeerSlot> by_key_;
};

}  // namespace ginnel::wg

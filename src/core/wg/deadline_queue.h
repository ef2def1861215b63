// Peers by the time of their next deadline: a binary heap that knows where each peer stands, so
// that moving a deadline is cheap and a peer without one costs four bytes.
#pragma once

#include <vector>

#include "base/time.h"
#include "core/wg/peer_slot.h"

namespace ginnel::wg {

class DeadlineQueue {
 public:
  // kNever removes the peer.
  void set(PeerSlot slot, MonoTime at);
  void remove(PeerSlot slot) { set(slot, kNever); }

  // kNever when empty.
  MonoTime next() const { return heap_.empty() ? kNever : heap_.front().at; }
  // Takes out the peer whose deadline has passed the longest ago; kNoPeer when none has.
  PeerSlot take_due(MonoTime now);
  std::size_t size() const { return heap_.size(); }

 private:
  struct Entry {
    MonoTime at;
    PeerSlot slot;
    // Ties break by slot, so that the same inputs give the same order.
    bool operator<(const Entry& other) const {
      return at != other.at ? at < other.at : slot < other.slot;
    }
  };
  static constexpr std::uint32_t kAbsent = 0xffffffff;

  void place(std::size_t position, const Entry& entry);
  void sift_up(std::size_t position, const Entry& entry);
  void sift_down(std::size_t position, const Entry& entry);
  void erase_at(std::size_t position);

  std::vector<Entry> heap_;
  std::vector<std::uint32_t> position_;  // By slot.
};

}  // namespace ginnel::wg

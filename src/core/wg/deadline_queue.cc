#include "core/wg/deadline_queue.h"

namespace ginnel::wg {

void DeadlineQueue::set(PeerSlot slot, MonoTime at) {
  const auto row = static_cast<std::uint32_t>(slot);
  if (row >= position_.size()) {
    if (at == kNever) return;
    position_.resize(row + 1, kAbsent);
  }
  const std::uint32_t position = position_[row];
  if (position == kAbsent) {
    if (at == kNever) return;
    heap_.push_back({at, slot});
    sift_up(heap_.size() - 1, {at, slot});
    return;
  }
  if (at == kNever) {
    erase_at(position);
  } else if (at < heap_[position].at) {
    sift_up(position, {at, slot});
  } else {
    sift_down(position, {at, slot});
  }
}

PeerSlot DeadlineQueue::take_due(MonoTime now) {
  if (heap_.empty() || heap_.front().at > now) return kNoPeer;
  const PeerSlot slot = heap_.front().slot;
  erase_at(0);
  return slot;
}

void DeadlineQueue::erase_at(std::size_t position) {
  position_[static_cast<std::uint32_t>(heap_[position].slot)] = kAbsent;
  const Entry last = heap_.back();
  heap_.pop_back();
  if (position == heap_.size()) return;
  const bool rises = last < heap_[position];
  rises ? sift_up(position, last) : sift_down(position, last);
}

void DeadlineQueue::place(std::size_t position, const Entry& entry) {
  heap_[position] = entry;
  position_[static_cast<std::uint32_t>(entry.slot)] = static_cast<std::uint32_t>(position);
}

void DeadlineQueue::sift_up(std::size_t position, const Entry& entry) {
  while (position > 0) {
    const std::size_t parent = (position - 1) / 2;
    if (!(entry < heap_[parent])) break;
    place(position, heap_[parent]);
    position = parent;
  }
  place(position, entry);
}

void DeadlineQueue::sift_down(std::size_t position, const Entry& entry) {
  for (;;) {
    std::size_t child = 2 * position + 1;
    if (child >= heap_.size()) break;
    if (child + 1 < heap_.size() && heap_[child + 1] < heap_[child]) ++child;
    if (!(heap_[child] < entry)) break;
    place(position, heap_[child]);
    position = child;
  }
  place(position, entry);
}

}  // namespace ginnel::wg

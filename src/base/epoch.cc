#include "base/epoch.h"

#include <algorithm>
#include <iterator>

#include "base/check.h"

namespace ginnel {

EpochDomain::Reader::Reader(EpochDomain& domain) : domain_(domain), slot_(kMaxReaders) {
  for (std::size_t i = 0; i < kMaxReaders && slot_ == kMaxReaders; ++i) {
    bool expected = false;
    if (domain.slots_[i].taken.compare_exchange_strong(expected, true)) slot_ = i;
  }
  CHECK(slot_ < kMaxReaders);
}

EpochDomain::Reader::~Reader() {
  leave();
  domain_.slots_[slot_].taken.store(false);
}

void EpochDomain::Reader::enter() {
  // The loads of this turn must not move before the store: then a writer whose scan misses the
  // store has unlinked before those loads. The fence pairs with the one in oldest_seen().
  domain_.slots_[slot_].seen.store(domain_.epoch_.load());
  std::atomic_thread_fence(std::memory_order_seq_cst);
}

void EpochDomain::Reader::leave() {
  domain_.slots_[slot_].seen.store(0, std::memory_order_release);
}

EpochDomain::~EpochDomain() {
  for (const Slot& slot : slots_) CHECK(!slot.taken.load());
  while (waiting() != 0) collect();  // What is disposed of may retire more.
}

void EpochDomain::retire(std::move_only_function<void()> dispose) {
  const MutexLock lock(mutex_);
  retired_.push_back({epoch_.fetch_add(1) + 1, std::move(dispose)});
}

void EpochDomain::collect() {
  std::vector<Retired> due;
  {
    const MutexLock lock(mutex_);
    if (retired_.empty()) return;
    const std::uint64_t oldest = oldest_seen();
    auto keep = std::partition(retired_.begin(), retired_.end(),
                               [oldest](const Retired& r) { return r.epoch <= oldest; });
    due.insert(due.end(), std::make_move_iterator(retired_.begin()), std::make_move_iterator(keep));
    retired_.erase(retired_.begin(), keep);
  }
  for (Retired& r : due) r.dispose();  // Outside the lock: a destructor may retire more.
}

std::size_t EpochDomain::waiting() const {
  const MutexLock lock(mutex_);
  return retired_.size();
}

std::uint64_t EpochDomain::oldest_seen() const {
  std::atomic_thread_fence(std::memory_order_seq_cst);
  std::uint64_t oldest = epoch_.load();
  for (const Slot& slot : slots_) {
    const std::uint64_t seen = slot.seen.load();
    if (seen != 0) oldest = std::min(oldest, seen);
  }
  return oldest;
}

}  // namespace ginnel

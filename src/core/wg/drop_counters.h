// How often each kind of packet was dropped. One thread counts, any thread reads.
#pragma once

#include <array>
#include <atomic>

#include "core/wg/messages.h"

namespace ginnel::wg {

class DropCounters {
 public:
  using Totals = std::array<std::uint64_t, static_cast<std::size_t>(Drop::kCount)>;

  void add(Drop drop, std::uint64_t count = 1) {
    // One writer, so no read-modify-write cycle is needed.
    std::atomic<std::uint64_t>& counter = counts_[static_cast<std::size_t>(drop)];
    counter.store(counter.load(std::memory_order_relaxed) + count, std::memory_order_relaxed);
  }
  std::uint64_t of(Drop drop) const {
    return counts_[static_cast<std::size_t>(drop)].load(std::memory_order_relaxed);
  }
  void add_to(Totals& totals) const {
    for (std::size_t i = 0; i < totals.size(); ++i) {
      totals[i] += counts_[i].load(std::memory_order_relaxed);
    }
  }

 private:
  std::array<std::atomic<std::uint64_t>, static_cast<std::size_t>(Drop::kCount)> counts_{};
};

}  // namespace ginnel::wg

// What a resolver did, and what it did not. One thread counts, any thread reads.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string_view>

namespace ginnel::dns {

enum class Count : std::uint8_t {
  Queries,
  AnsweredFromCache,
  AnsweredFromUpstream,
  AnsweredHere,  // Names that nobody outside is asked about.
  Failures,      // Clients that were told SERVFAIL.
  UpstreamQueries,
  UpstreamTimeouts,
  UpstreamErrors,      // It could not be sent, or was refused by the host there.
  UpstreamStreams,     // Asked by TCP, because the answer was too long for a datagram.
  AnswersMismatched,   // With another id or question than ours: late ones, or forged.
  QueriesMalformed,    // Or none at all, or such as are not for a forwarder.
  DroppedRateLimited,  // One source asked too much.
  DroppedOverload,     // All sources together did.
  DroppedStreams,      // TCP clients beyond the limits.
  kCount,
};

// "answered_from_cache"
std::string_view name_of(Count count);

class Counters {
 public:
  void add(Count count, std::uint64_t number = 1) {
    // One writer, so no read-modify-write cycle is needed.
    std::atomic<std::uint64_t>& counter = counts_[static_cast<std::size_t>(count)];
    counter.store(counter.load(std::memory_order_relaxed) + number, std::memory_order_relaxed);
  }
  std::uint64_t of(Count count) const {
    return counts_[static_cast<std::size_t>(count)].load(std::memory_order_relaxed);
  }

 private:
  std::array<std::atomic<std::uint64_t>, static_cast<std::size_t>(Count::kCount)> counts_{};
};

}  // namespace ginnel::dns

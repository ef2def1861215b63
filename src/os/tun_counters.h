// What a queue of a TUN device did and what it dropped. One thread counts, any thread reads.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string_view>

namespace ginnel::os {

enum class TunCount : std::uint8_t {
  Reads,  // System calls that brought something.
  PacketsRead,
  SuperPacketsRead,
  Writes,  // System calls that were accepted.
  PacketsWritten,
  SuperPacketsWritten,
  OffloadsGivenUp,  // Kinds of super-packet that the kernel turned out to refuse.

  ReadNotIp,  // As net::SegmentDrop.
  ReadBadOffload,
  ReadUnknownKind,
  ReadTooLong,
  ReadFailed,  // System calls, as nothing is known about what was lost.
  WriteNotIp,
  WriteDeviceDown,
  WriteNoMemory,
  WriteRefused,
  kCount,
};

// The name of a counter in `show` and in metrics, like "tun_write_device_down".
std::string_view name_of(TunCount count);
// Whether it counts packets that were lost.
constexpr bool is_drop(TunCount count) { return count >= TunCount::ReadNotIp; }

class TunCounters {
 public:
  void add(TunCount count, std::uint64_t number = 1) {
    // One writer, so no read-modify-write cycle is needed.
    std::atomic<std::uint64_t>& counter = counts_[static_cast<std::size_t>(count)];
    counter.store(counter.load(std::memory_order_relaxed) + number, std::memory_order_relaxed);
  }
  std::uint64_t of(TunCount count) const {
    return counts_[static_cast<std::size_t>(count)].load(std::memory_order_relaxed);
  }

 private:
  std::array<std::atomic<std::uint64_t>, static_cast<std::size_t>(TunCount::kCount)> counts_{};
};

}  // namespace ginnel::os

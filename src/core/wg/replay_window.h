// Accepts each counter of a session once (whitepaper, section 5.4.6; the ring of blocks is RFC
// 6479's). Counters may arrive out of order by up to kWindow.
#pragma once

#include <array>
#include <cstdint>

namespace ginnel::wg {

class ReplayWindow {
 public:
  static constexpr std::uint64_t kWindow = 8128;

  // Whether accept() would succeed.
  bool would_accept(std::uint64_t counter) const {
    if (counter >= next_) return true;
    if (next_ - counter > kWindow) return false;
    return (block_of(counter) & bit_of(counter)) == 0;
  }

  // Call only with a counter whose message has authenticated. Returns false for one that was seen
  // or is too old.
  bool accept(std::uint64_t counter) {
    if (!would_accept(counter)) return false;
    if (counter >= next_) {
      advance_to(counter);
      next_ = counter + 1;
    }
    blocks_[(counter / 64) % kBlocks] |= bit_of(counter);
    return true;
  }

 private:
  // One block more than the window spans, because the newest block is only partly used.
  static constexpr std::uint64_t kBlocks = 128;
  static_assert(kWindow == (kBlocks - 1) * 64);

  static std::uint64_t bit_of(std::uint64_t counter) { return std::uint64_t{1} << (counter % 64); }
  std::uint64_t block_of(std::uint64_t counter) const { return blocks_[(counter / 64) % kBlocks]; }

  void advance_to(std::uint64_t counter) {
    const std::uint64_t newest = next_ == 0 ? 0 : (next_ - 1) / 64;
    const std::uint64_t target = counter / 64;
    const std::uint64_t count = target - newest < kBlocks ? target - newest : kBlocks;
    for (std::uint64_t i = 1; i <= count; ++i) blocks_[(newest + i) % kBlocks] = 0;
  }

  std::uint64_t next_ = 0;  // One above the greatest accepted counter.
  std::array<std::uint64_t, kBlocks> blocks_{};
};

}  // namespace ginnel::wg

// Randomness as an argument. os::SystemRng is the real one; the simulator's is seeded.
#pragma once

#include "base/bytes.h"

namespace ginnel {

class Rng {
 public:
  virtual ~Rng() = default;

  // Fills `out` with unpredictable bytes. Never fails: an implementation that cannot aborts.
  virtual void fill(ByteSpan out) = 0;

  template <class T>
  T number() {
    std::array<std::uint8_t, sizeof(T)> bytes;
    fill(bytes);
    return std::bit_cast<T>(bytes);
  }
  // Uniform enough for jitter and back-off; not for choosing keys. REQUIRES: bound > 0.
  std::uint64_t below(std::uint64_t bound) { return number<std::uint64_t>() % bound; }
};

}  // namespace ginnel

// Randomness from the kernel, for everything that is not a simulation.
#pragma once

#include "base/rng.h"

namespace ginnel::os {

// Small requests are served from a buffer, because a system call costs a hundred times as much as
// eight bytes do. What was handed out is erased from it, so that a later look into the memory does
// not show an earlier key, and a fork finds it empty, so that two processes never share a byte.
// One object a thread.
class SystemRng final : public Rng {
 public:
  // Larger requests go to the kernel. Also the most that a stolen memory image gives away.
  static constexpr std::size_t kBufferBytes = 512;

  SystemRng();
  ~SystemRng() override;
  SystemRng(const SystemRng&) = delete;
  SystemRng& operator=(const SystemRng&) = delete;

  // Waits, at most once after boot, until the kernel has gathered enough to be unpredictable.
  void fill(ByteSpan out) override;

 private:
  struct Buffer;
  Buffer* buffer_;  // In a page of its own; null when this kernel cannot empty it on fork.
};

}  // namespace ginnel::os

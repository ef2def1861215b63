// Fixed-size key material: moved, never copied, erased when it dies, not comparable and not
// printable by accident.
#pragma once

#include <algorithm>

#include "base/bytes.h"

namespace ginnel {

// Overwrites memory in a way the optimiser may not remove.
void erase(ByteSpan bytes);

// Compares without leaking where the difference is. Unequal sizes are unequal.
bool equal_in_constant_time(ByteView a, ByteView b);

template <std::size_t kSize>
class Secret {
 public:
  static constexpr std::size_t size() { return kSize; }

  Secret() = default;  // All zeros.
  explicit Secret(std::span<const std::uint8_t, kSize> bytes) {
    std::copy(bytes.begin(), bytes.end(), bytes_.begin());
  }
  Secret(Secret&& other) noexcept : bytes_(other.bytes_) { other.clear(); }
  Secret& operator=(Secret&& other) noexcept {
    if (this != &other) {
      bytes_ = other.bytes_;
      other.clear();
    }
    return *this;
  }
  ~Secret() { clear(); }

  // An explicit copy, for the few places that need one.
  Secret duplicate() const { return Secret(std::span<const std::uint8_t, kSize>(bytes_)); }
  void clear() { erase(bytes_); }
  bool is_zero() const {
    std::uint8_t any = 0;
    for (const std::uint8_t byte : bytes_) any |= byte;
    return any == 0;
  }

  std::span<const std::uint8_t, kSize> expose() const { return bytes_; }
  std::span<std::uint8_t, kSize> expose_mutable() { return bytes_; }

 private:
  std::array<std::uint8_t, kSize> bytes_{};
};

}  // namespace ginnel

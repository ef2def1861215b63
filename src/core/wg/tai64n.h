// The timestamps of handshake initiations: TAI64N, 8 bytes of seconds and 4 of nanoseconds. They
// only have to grow, so that an old initiation cannot be played again (whitepaper, section 5.1).
#pragma once

#include <compare>

#include "base/bytes.h"
#include "base/time.h"

namespace ginnel::wg {

class Tai64n {
 public:
  static constexpr std::size_t kSize = 12;
  // The clock is told only this finely: its exact reading would help to attack what else is drawn
  // from it. Less than the 20 ms at which peers accept initiations.
  static constexpr std::uint32_t kStepNanoseconds = 1u << 24;

  Tai64n() = default;  // Older than any other.
  explicit Tai64n(std::span<const std::uint8_t, kSize> bytes);

  // `now` rounded down; or, where that is not newer than `last`, the step after `last`: a clock
  // that was set back must not lock us out of our peers until it has caught up.
  static Tai64n newer_than(const Tai64n& last, UnixTime now);

  std::span<const std::uint8_t, kSize> bytes() const { return bytes_; }

  // Big-endian, so the order of the bytes is the order of time.
  friend auto operator<=>(const Tai64n&, const Tai64n&) = default;

 private:
  static Tai64n of(std::uint64_t seconds, std::uint32_t nanoseconds);

  std::array<std::uint8_t, kSize> bytes_{};
};

}  // namespace ginnel::wg

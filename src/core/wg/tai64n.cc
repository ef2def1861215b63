#include "core/wg/tai64n.h"

#include <algorithm>

namespace ginnel::wg {
namespace {

// TAI64 label of 1970-01-01, ten seconds off UTC as WireGuard's peers have it.
constexpr std::uint64_t kEpoch = (std::uint64_t{1} << 62) + 10;
constexpr std::uint32_t kNanosecondsPerSecond = 1'000'000'000;

}  // namespace

Tai64n::Tai64n(std::span<const std::uint8_t, kSize> bytes) {
  std::copy(bytes.begin(), bytes.end(), bytes_.begin());
}

Tai64n Tai64n::of(std::uint64_t seconds, std::uint32_t nanoseconds) {
  Tai64n time;
  store<Be64>(time.bytes_, seconds);
  store<Be32>(ByteSpan(time.bytes_).subspan(8), nanoseconds);
  return time;
}

Tai64n Tai64n::newer_than(const Tai64n& last, UnixTime now) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(now);
  const auto nanoseconds = static_cast<std::uint32_t>((now - seconds).count());
  const Tai64n rounded = of(kEpoch + static_cast<std::uint64_t>(seconds.time_since_epoch().count()),
                            nanoseconds / kStepNanoseconds * kStepNanoseconds);
  if (rounded > last) return rounded;

  const auto last_seconds = load<Be64>(last.bytes_);
  const auto last_nanoseconds = load<Be32>(ByteView(last.bytes_).subspan(8));
  if (last_nanoseconds < kNanosecondsPerSecond - kStepNanoseconds) {
    return of(last_seconds, last_nanoseconds + kStepNanoseconds);
  }
  return of(last_seconds + 1, 0);
}

}  // namespace ginnel::wg

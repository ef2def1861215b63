// Protocol constants under the names of the WireGuard whitepaper, section 6.1.
#pragma once

#include <cstdint>

#include "base/time.h"

namespace ginnel::wg {

inline constexpr std::uint64_t kRekeyAfterMessages = std::uint64_t{1} << 60;
inline constexpr std::uint64_t kRejectAfterMessages = ~std::uint64_t{0} - (std::uint64_t{1} << 13);
inline constexpr Duration kRekeyAfterTime = 120s;
inline constexpr Duration kRejectAfterTime = 180s;
inline constexpr Duration kRekeyAttemptTime = 90s;
inline constexpr Duration kRekeyTimeout = 5s;
inline constexpr Duration kKeepaliveTimeout = 10s;

// Section 6.1 asks for "an additional amount of jitter" without a number; a third of a second
// separates two peers that start at the same moment and is not felt.
inline constexpr Duration kMaxTimerJitter = 333ms;

// A peer whose initiations authenticate is still answered at most this often.
inline constexpr Duration kMinInitiationInterval = 20ms;

// For so long after an endpoint was configured, packets from the one before it move nobody back:
// they were on the way, or their sender could not know yet.
inline constexpr Duration kEndpointSettlingTime = 5s;

}  // namespace ginnel::wg

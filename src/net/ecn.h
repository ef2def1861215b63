// Explicit congestion notification across a tunnel (RFC 6040).
#pragma once

#include <cstdint>
#include <optional>

namespace ginnel::net {

inline constexpr std::uint8_t kEcnNotEct = 0;
inline constexpr std::uint8_t kEcnEct1 = 1;
inline constexpr std::uint8_t kEcnEct0 = 2;
inline constexpr std::uint8_t kEcnCe = 3;

// What the inner header has to say when a packet leaves the tunnel (RFC 6040, section 4.2). Nothing
// means: drop, because the network marked congestion on a packet whose sender would not hear it.
constexpr std::optional<std::uint8_t> decapsulated_ecn(std::uint8_t inner, std::uint8_t outer) {
  if (outer == kEcnCe) {
    if (inner == kEcnNotEct) return std::nullopt;
    return kEcnCe;
  }
  if (outer == kEcnEct1 && inner == kEcnEct0) return kEcnEct1;
  return inner;
}

}  // namespace ginnel::net

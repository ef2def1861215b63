// What cryptography costs on this machine, alone: the data path's AEAD by library and packet size,
// and a curve multiplication, of which a handshake takes four or five.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "core/crypto/aead_batch.h"

namespace ginnel::bench {

// An acknowledgement, a voice packet, a full segment, a jumbo frame.
inline constexpr std::size_t kAeadSizes[] = {64, 256, 1420, 8192};
// How long one number is measured.
inline constexpr Duration kCryptoTime = std::chrono::milliseconds(100);

struct AeadCost {
  std::string library;  // As it calls itself.
  std::size_t bytes = 0;
  double seal_ns = 0;  // A packet, in batches as the data path makes them.
  double open_ns = 0;
};

// Libraries that this machine lacks are left out.
std::vector<AeadCost> measure_aead(Duration each = kCryptoTime);

// Microseconds for one X25519 with a key that is ready for use.
double measure_x25519_us(Duration each = kCryptoTime);

}  // namespace ginnel::bench

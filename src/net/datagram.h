// One UDP datagram on its way between a socket and the engine, either direction. Borrowed memory: a
// Datagram is valid as long as the batch that it came from is not cleared.
#pragma once

#include "net/endpoint.h"

namespace ginnel::net {

struct Datagram {
  ByteSpan bytes;
  const PathAddress* path = nullptr;
  std::uint8_t ecn = 0;  // The two ECN bits of the outer IP header (RFC 3168).
};

}  // namespace ginnel::net

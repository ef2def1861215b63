// What a frame on an uplink is: a probe that escaped, something that a locked host may say, or
// something that nobody expected. Reads frames of anyone.
#pragma once

#include <vector>

#include "core/leaks/probe_packet.h"

namespace ginnel::leaks {

// What may be seen while the lock is on.
struct WireRules {
  std::uint64_t run = 0;
  std::vector<net::Endpoint> endpoints{};        // Of peers.
  std::vector<std::uint16_t> transport_ports{};  // That the tunnel sends from.
  std::vector<net::Address> tunnel_addresses{};
};

enum class FrameKind : std::uint8_t {
  Probe,
  Reveal,        // Says that the host has the tunnel's address.
  Housekeeping,  // ARP, neighbour discovery, DHCP.
  Transport,     // The tunnel's own.
  Stray,
};

struct Sighting {
  FrameKind kind = FrameKind::Stray;
  ProbeTag tag{};  // Of a probe.
};

Sighting classify(ByteView frame, const WireRules& rules);

// "203.0.113.9 -> 198.51.100.1 protocol 17", for reports.
std::string describe_frame(ByteView frame);

}  // namespace ginnel::leaks

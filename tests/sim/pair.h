// Two devices that know each other, for the tests of what they do to each other.
#pragma once

#include "sim/simulation.h"

namespace ginnel::sim {

// What Simulation::packet() was told.
inline std::uint64_t number_in(ByteView packet) {
  return load<Be64>(packet.subspan((packet[0] >> 4) == 6 ? 40 : 20));
}

// Two nodes that know each other, a clean link unless told otherwise.
struct Pair {
  explicit Pair(std::uint64_t seed = 1, LinkQuality quality = kCleanLink)
      : sim(seed, quality), a(sim.add_node("a")), b(sim.add_node("b")) {
    sim.introduce(a, b, true, true);
  }
  // One packet each way a second.
  void talk_for(Duration duration) {
    for (Duration t{}; t < duration; t += 1s) {
      sim.send(a, b, ++sent);
      sim.send(b, a, sent);
      sim.run_for(1s);
    }
  }
  Simulation sim;
  SimNode& a;
  SimNode& b;
  std::uint64_t sent = 0;
};

// One peer's change, as a device is told it.
inline wg::DeviceChange change_of(wg::PeerChange peer) {
  wg::DeviceChange change;
  change.peers.push_back(std::move(peer));
  return change;
}

}  // namespace ginnel::sim

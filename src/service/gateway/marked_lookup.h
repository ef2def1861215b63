// One look-up of one name in clear, by sockets that carry the tunnels' mark: what a locked gateway
// that knows no address of its peer cannot do without. The lock lets it through for as long as it
// takes, and nobody else's questions.
#pragma once

#include <string>
#include <vector>

#include "net/endpoint.h"
#include "service/quick/interruption.h"

namespace ginnel::gateway {

struct MarkedLookup {
  static constexpr std::size_t kMaxServers = 3;  // As the system's own resolver has it.
  static constexpr Duration kAttemptTime = std::chrono::milliseconds(1500);
  static constexpr unsigned kRounds = 3;  // Through all servers.

  // All servers for IPv4, and all once more for IPv6.
  static constexpr Duration kLongest = kAttemptTime * kMaxServers * (kRounds + 1);

  std::string name;
  std::vector<net::Endpoint> servers;
  std::uint32_t mark = 0;
};

// IPv4 first. Fails with NotFound when there is no such name, and with Unavailable when no server
// answers.
Result<std::vector<net::Address>> look_up_marked(const MarkedLookup& lookup,
                                                 quick::Interruption& interruption);

}  // namespace ginnel::gateway

// `ginnel cage CONF -- CMD`: a command in namespaces of its own, with a loopback and a tunnel there
// and nothing else. This process stays outside with the tunnel's socket; the command's packets
// reach the world through it or not at all.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "service/cage/published_port.h"
#include "service/tunnel/path_choice.h"

namespace ginnel::cage {

struct CageOptions {
  std::string configuration;  // As it was asked for: a name or a path.
  std::vector<std::string> command;
  std::vector<net::Address> dns;  // Instead of the file's.
  std::vector<PublishedPort> publish;
  tunnel::PathChoice path{};
};

// Returns the command's exit code, as a shell has it. It is an error when it did not even start.
// REQUIRES: one thread, and that nobody needs signals of this process afterwards.
Result<int> run_cage(const CageOptions& options);

}  // namespace ginnel::cage

// All that one owner wants of a host: what the difference to the host as it is, and its undo, are
// made of. Who wants it computes one of these; os/host_applier.h makes it so.
#pragma once

#include <vector>

#include "core/hostnet/nft_tree.h"
#include "core/hostnet/plan.h"

namespace ginnel::hostnet {

struct WantedHost {
  WantedNetwork network{};
  std::vector<nft::Table> tables{};  // Each carries the owner's mark.
  std::vector<Sysctl> sysctls{};
  friend bool operator==(const WantedHost&, const WantedHost&) = default;
};

}  // namespace ginnel::hostnet

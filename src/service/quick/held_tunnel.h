// What every verb about a tunnel begins with: its file, understood, and what stands of it, held
// against other processes.
#pragma once

#include "service/quick/quick.h"
#include "service/quick/standing.h"

namespace ginnel::quick {

struct HeldTunnel {
  Source source;
  Standing standing;
};

// `check` may refuse the file before anything is touched. Fails with AlreadyExists while another
// process works on the tunnel.
Result<HeldTunnel> hold_tunnel(const QuickOptions& options, Interruption& interruption,
                               Status (*check)(const Source&) = nullptr);

}  // namespace ginnel::quick

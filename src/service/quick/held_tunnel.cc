#include "service/quick/held_tunnel.h"

#include "os/capability.h"

namespace ginnel::quick {

Result<HeldTunnel> hold_tunnel(const QuickOptions& options, Interruption& interruption,
                               Status (*check)(const Source&)) {
  auto source = read_source(options.configuration);
  if (!source) return pass(std::move(source));
  if (check != nullptr) {
    if (Status good = check(*source); !good) return pass(std::move(good));
  }
  if (Status may = os::require_capability(os::Capability::NetAdmin, "a tunnel"); !may) {
    return pass(std::move(may));
  }
  auto standing = Standing::open(options.run_directory, source->interface, interruption);
  if (!standing) return pass(std::move(standing));
  return HeldTunnel{.source = std::move(*source), .standing = std::move(*standing)};
}

}  // namespace ginnel::quick

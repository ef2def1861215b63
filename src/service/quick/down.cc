#include <fmt/format.h>

#include "service/quick/held_tunnel.h"
#include "service/quick/hooks.h"
#include "service/quick/save.h"
#include "service/tunnel/found_devices.h"

namespace ginnel::quick {

Status down(const QuickOptions& options, Interruption& interruption) {
  auto held = hold_tunnel(options, interruption);
  if (!held) return pass(std::move(held));
  auto& [source, standing] = *held;
  if (!standing.record()) {
    auto device = tunnel::find_device(source.interface);
    if (!device) return pass(std::move(device));
    return fail(ErrorCode::Conflict,
                fmt::format("interface {} was not brought up by ginnel; take it down with what did",
                            source.interface));
  }
  Status ran = run_hooks("PreDown", source.file.hooks.pre_down, source, interruption);
  if (!ran) return ran;
  if (source.file.save_config) {
    // The tunnel's process may be gone, and with it what there was to save.
    Status saved = save_into(source, standing);
    if (!saved && saved.error().code != ErrorCode::NotFound) return saved;
  }
  if (Status undone = standing.take_down(); !undone) return undone;
  return run_hooks("PostDown", source.file.hooks.post_down, source, interruption);
}

}  // namespace ginnel::quick

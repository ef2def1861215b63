#include <fmt/format.h>

#include "os/capability.h"
#include "service/quick/hooks.h"
#include "service/quick/quick.h"
#include "service/quick/save.h"
#include "service/quick/standing.h"
#include "service/tunnel/found_devices.h"

namespace ginnel::quick {

Status down(const QuickOptions& options, Interruption& interruption) {
  const auto source = read_source(options.configuration);
  if (!source) return std::unexpected(source.error());
  if (Status may = os::require_capability(os::Capability::NetAdmin, "a tunnel"); !may) return may;
  auto standing = Standing::open(options.run_directory, source->interface, interruption);
  if (!standing) return pass(std::move(standing));
  if (!standing->record()) {
    auto device = tunnel::find_device(source->interface);
    if (!device) return pass(std::move(device));
    return fail(ErrorCode::Conflict,
                fmt::format("interface {} was not brought up by ginnel; take it down with what did",
                            source->interface));
  }
  Status ran = run_hooks("PreDown", source->file.hooks.pre_down, *source, interruption);
  if (!ran) return ran;
  if (source->file.save_config) {
    // The tunnel's process may be gone, and with it what there was to save.
    Status saved = save_into(*source, *standing);
    if (!saved && saved.error().code != ErrorCode::NotFound) return saved;
  }
  if (Status undone = standing->take_down(); !undone) return undone;
  return run_hooks("PostDown", source->file.hooks.post_down, *source, interruption);
}

}  // namespace ginnel::quick

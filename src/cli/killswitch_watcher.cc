#include "cli/killswitch_watcher.h"

#include "base/log.h"
#include "cli/exit_code.h"
#include "os/background.h"
#include "service/killswitch/watcher.h"

namespace ginnel::cli {

Status start_watcher(const killswitch::Places& places) {
  const auto watched = killswitch::is_watched(places);
  if (!watched) return std::unexpected(watched.error());
  if (*watched) return killswitch::await_watcher(places);
  auto background = os::Background::split();
  if (!background) return pass(std::move(background));
  if (!background->is_child()) {
    const auto verdict = background->await();
    // Another command's may have been quicker.
    Status holds = killswitch::await_watcher(places);
    if (holds || verdict.exit_code == 0) return holds;
    return fail(ErrorCode::Unavailable, "watch the kill switch: " + verdict.message);
  }
  background->close_inherited();
  log::start(log::Level::Info, log::Target::SystemLog);
  const Status watched_it = killswitch::watch(places, [&] { return background->ready(); });
  if (!watched_it) background->failed({kFailed, watched_it.error().message});
  std::exit(kOk);
}

}  // namespace ginnel::cli

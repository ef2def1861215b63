#include "service/quick/hooks.h"

#include <fmt/format.h>

#include "base/log.h"
#include "core/config/quick_lines.h"
#include "os/child_process.h"

namespace ginnel::quick {

Status run_hooks(std::string_view kind, const std::vector<config::QuickHook>& hooks,
                 const Source& source, Interruption& interruption) {
  for (const config::QuickHook& hook : hooks) {
    const std::string text = config::expand_hook(hook.text, source.interface);
    log::info("{}:{}: {}", source.path, hook.line, kind);
    // wg-quick is a bash script with these options set, and hooks count on them.
    const os::Command command{
        .words = {"bash", "-e", "-o", "pipefail", "-O", "extglob", "-c", text},
        .environment = {
            {"INTERFACE", source.interface}, {"CONFIG_FILE", source.path}, {"LC_ALL", "C"}}};
    const auto end = os::run_command(command, &interruption.signals());
    if (!end) return std::unexpected(end.error());
    interruption.note(*end);
    if (end->interrupted) return interruption.check();
    if (end->exit_code != 0) {
      return fail(ErrorCode::Io, fmt::format("{}:{}: {}: the command ended with {}; mend it",
                                             source.path, hook.line, kind, end->exit_code));
    }
    if (Status going = interruption.check(); !going) return going;
  }
  return ok();
}

}  // namespace ginnel::quick

// The commands that a configuration file wants run, as wg-quick runs them.
#pragma once

#include "service/quick/source.h"

namespace ginnel::quick {

// One after the other, each in a bash of its own that stops at the first command that fails. The
// first one that fails ends it, and is named by its line: the text may hold keys. `kind` is "PreUp"
// and so on, for messages.
Status run_hooks(std::string_view kind, const std::vector<config::QuickHook>& hooks,
                 const Source& source, Interruption& interruption);

}  // namespace ginnel::quick

// What --help prints, made from the verb table.
#pragma once

#include <string>
#include <string_view>

#include "cli/verb.h"

namespace ginnel::cli {

std::string usage_of(const Verb& verb);
std::string help_for(const Verb& verb);
// All verbs; or, with "peer", those whose names begin with that word.
std::string help_overview(std::string_view group = {});
// The verb table for programs.
std::string help_json();

}  // namespace ginnel::cli

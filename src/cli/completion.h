// Shell completion, made from the verb table.
#pragma once

#include <string>

namespace ginnel::cli {

std::string bash_completion();
std::string zsh_completion();
std::string fish_completion();

}  // namespace ginnel::cli

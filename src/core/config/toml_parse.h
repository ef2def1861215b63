// The one place that knows the TOML library: text in, tree out.
#pragma once

#include <string_view>

#include "core/config/toml_document.h"

namespace ginnel::config {

// The root table of `text`. Errors are "FILE:LINE: what is wrong" and never quote a value.
Result<TomlNode> parse_toml(std::string_view file, std::string_view text);

}  // namespace ginnel::config

// How others find a control socket and may use it.
#pragma once

#include <string>

#include "base/result.h"

namespace ginnel::os {

// Makes `path` a symbolic link to `target`, in the place of an earlier link; anything else that is
// there is left alone and is an error.
Status replace_link(const std::string& path, const std::string& target);

// Lets a group use what is at `path`, as far as its mode says. A group that does not exist, or a
// process that may not give files away, leaves everything as it is: then only the owner may.
Status share_with_group(const std::string& path, const std::string& group);

}  // namespace ginnel::os

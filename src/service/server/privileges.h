// What a server gives up once it stands: a flaw in it is then worth less to whoever finds it.
#pragma once

#include <string>
#include <vector>

#include "os/capability.h"
#include "service/server/server_paths.h"

namespace ginnel::server {

// What a server needs for as long as it runs. `key_file` may be empty.
std::vector<os::Capability> needed_capabilities(const ServerPaths& paths,
                                                const std::string& key_file);

}  // namespace ginnel::server

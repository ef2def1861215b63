// What differs between two configurations of a server, for people.
#pragma once

#include "core/config/server_config.h"
#include "service/server/views.h"

namespace ginnel::server {

ChangeView summarize(const config::ServerConfig& before, const config::ServerConfig& after);

}  // namespace ginnel::server

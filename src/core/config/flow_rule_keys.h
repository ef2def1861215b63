// The keys `allow` and `deny`, of a peer and of [server] alike.
#pragma once

#include "core/config/toml_reader.h"
#include "net/flow_rule.h"

namespace ginnel::config {

net::FlowRules read_flow_rules(TomlReader& reader);

}  // namespace ginnel::config

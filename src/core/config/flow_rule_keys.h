// The keys `allow` and `deny`, of a peer and of [server] alike, and others with rules.
#pragma once

#include "core/config/toml_reader.h"
#include "net/flow_rule.h"

namespace ginnel::config {

net::FlowRules read_flow_rules(TomlReader& reader);
// Absent: the key is.
std::optional<std::vector<net::FlowRule>> read_rule_list(TomlReader& reader, std::string_view key);

}  // namespace ginnel::config

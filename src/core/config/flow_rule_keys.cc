#include "core/config/flow_rule_keys.h"

#include <fmt/format.h>

namespace ginnel::config {

std::optional<std::vector<net::FlowRule>> read_rule_list(TomlReader& reader, std::string_view key) {
  auto rules = reader.parsed_list(key, &net::FlowRule::parse);
  if (rules && rules->size() > net::FlowRules::kMaxRules) {
    reader.reject(key, reader.find(key)->line,
                  fmt::format("has over {} rules; write larger prefixes, or lists of ports",
                              net::FlowRules::kMaxRules));
  }
  return rules;
}

net::FlowRules read_flow_rules(TomlReader& reader) {
  net::FlowRules rules{
      .allow = read_rule_list(reader, "allow"),
      .deny = read_rule_list(reader, "deny").value_or(std::vector<net::FlowRule>())};
  // Whoever empties a list may mean "no restriction", and would get the contrary.
  if (rules.allow && rules.allow->empty()) {
    reader.reject("allow", reader.find("allow")->line,
                  "is empty; take it out to allow everything, or write deny = \"any\"");
  }
  return rules;
}

}  // namespace ginnel::config

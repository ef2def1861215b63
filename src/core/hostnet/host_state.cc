#include "core/hostnet/host_state.h"

#include <fmt/format.h>

#include <algorithm>

namespace ginnel::hostnet {
namespace {

constexpr unsigned kMaxNumber = 4096;

std::string_view name_of(RouteType type) {
  switch (type) {
    case RouteType::Unicast:
      return "unicast";
    case RouteType::Local:
      return "local";
    case RouteType::Broadcast:
      return "broadcast";
    case RouteType::Anycast:
      return "anycast";
    case RouteType::Multicast:
      return "multicast";
    case RouteType::Blackhole:
      return "blackhole";
    case RouteType::Unreachable:
      return "unreachable";
    case RouteType::Prohibit:
      return "prohibit";
    case RouteType::Throw:
      return "throw";
  }
  return "unknown";
}

std::string_view name_of(RuleAction action) {
  switch (action) {
    case RuleAction::Lookup:
      return "lookup";
    case RuleAction::Goto:
      return "goto";
    case RuleAction::Blackhole:
      return "blackhole";
    case RuleAction::Unreachable:
      return "unreachable";
    case RuleAction::Prohibit:
      return "prohibit";
  }
  return "unknown";
}

}  // namespace

std::string Route::to_string() const {
  std::string text;
  if (type != RouteType::Unicast) text += fmt::format("{} ", name_of(type));
  text += is_default() ? std::string("default") : destination.to_string();
  if (gateway) text += fmt::format(" via {}", gateway->to_string());
  if (!interface.empty()) text += fmt::format(" dev {}", interface);
  if (table != kMainTable) text += fmt::format(" table {}", table);
  if (source) text += fmt::format(" src {}", source->to_string());
  if (metric != 0) text += fmt::format(" metric {}", metric);
  return text;
}

std::string RoutingRule::to_string() const {
  std::string text = fmt::format("{}: {}from {}", priority, inverted ? "not " : "",
                                 from ? from->to_string() : std::string("all"));
  if (to) text += fmt::format(" to {}", to->to_string());
  if (mark_mask == 0xffffffff) text += fmt::format(" fwmark {:#x}", mark);
  if (mark_mask != 0 && mark_mask != 0xffffffff) {
    text += fmt::format(" fwmark {:#x}/{:#x}", mark, mark_mask);
  }
  if (!in_interface.empty()) text += fmt::format(" iif {}", in_interface);
  if (!out_interface.empty()) text += fmt::format(" oif {}", out_interface);
  if (users) text += fmt::format(" uidrange {}-{}", users->first, users->last);
  text += fmt::format(" {}", name_of(action));
  if (action == RuleAction::Lookup) text += fmt::format(" {}", table);
  if (suppress_prefix_length)
    text += fmt::format(" suppress_prefixlength {}", *suppress_prefix_length);
  return text;
}

const Link* HostState::find_link(std::string_view name) const {
  const auto found = std::ranges::find(links, name, &Link::name);
  return found == links.end() ? nullptr : &*found;
}

Result<std::string> first_free_name(const std::vector<Link>& links, std::string_view stem) {
  for (unsigned number = 0; number < kMaxNumber; ++number) {
    std::string name = fmt::format("{}{}", stem, number);
    if (std::ranges::find(links, name, &Link::name) == links.end()) return name;
  }
  return fail(ErrorCode::Exhausted, fmt::format("{}0 to {}{} all exist; name the interface with "
                                                "--interface",
                                                stem, stem, kMaxNumber - 1));
}

}  // namespace ginnel::hostnet

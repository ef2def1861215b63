#include "core/hostnet/lock_record.h"

#include <fmt/format.h>

#include <iterator>

#include "base/text.h"
#include "core/hostnet/nft_tree.h"

namespace ginnel::hostnet {
namespace {

// Lines of fields between tabs:
//   state NAME | holder TEXT | owned 0|1 | mark VALUE MASK | manage_mark MASK | table N |
//   split_mark MASK | split_dns 0|1 | split_user N | split_cgroup PATH | priorities N N N |
//   endpoint E | listen_port N | resolver E | tunnel NAME | tunnel_address A | dns A lan NAME |
//   lan_prefix PREFIX (of the lan before it) | allowed PREFIX | manage PREFIX | dhcp A |
//   known_routes | known_route PREFIX INTERFACE
constexpr char kSeparator = '\t';

constexpr LockState kStates[] = {LockState::Off, LockState::Locked, LockState::Connecting,
                                 LockState::Connected, LockState::Error};

using Fields = std::vector<std::string_view>;

bool read_number(std::string_view text, std::uint32_t& into) {
  const auto number = parse_number<std::uint32_t>(text, 0, UINT32_MAX);
  if (number) into = *number;
  return number.has_value();
}

template <class T>
bool read_parsed(std::string_view text, std::vector<T>& into) {
  auto parsed = T::parse(text);
  if (parsed) into.push_back(std::move(*parsed));
  return parsed.has_value();
}

bool is_name(std::string_view text) {
  return !text.empty() && text.size() <= nft::kMaxInterfaceLength &&
         text.find_first_of("/ ") == std::string_view::npos;
}

bool read_state(std::string_view text, LockState& into) {
  for (LockState state : kStates) {
    if (name_of(state) != text) continue;
    into = state;
    return true;
  }
  return false;
}

// A line of one value that may come several times.
bool read_listed(std::string_view key, std::string_view value, LockPolicy& policy) {
  if (key == "endpoint") return read_parsed(value, policy.endpoints);
  if (key == "resolver") return read_parsed(value, policy.resolvers);
  if (key == "tunnel_address") return read_parsed(value, policy.tunnel_addresses);
  if (key == "dns") return read_parsed(value, policy.dns);
  if (key == "allowed") return read_parsed(value, policy.allowed);
  if (key == "manage") return read_parsed(value, policy.manage);
  if (key == "dhcp") return read_parsed(value, policy.dhcp_servers);
  if (key == "lan_prefix") {
    return !policy.lans.empty() && read_parsed(value, policy.lans.back().prefixes);
  }
  if (key == "tunnel" && is_name(value)) {
    policy.tunnels.emplace_back(value);
    return true;
  }
  if (key == "lan" && is_name(value)) {
    policy.lans.push_back({.interface = std::string(value)});
    return true;
  }
  if (key != "listen_port") return false;
  const auto port = parse_number<std::uint16_t>(value, 1, 65535);
  if (port) policy.listen_ports.push_back(*port);
  return port.has_value();
}

bool read_flag(std::string_view text, bool& into) {
  into = text == "1";
  return text == "1" || text == "0";
}

bool read_split(std::string_view key, std::string_view value, LockPolicy& policy) {
  if (key == "split_mark") return read_number(value, policy.split_mark.mask);
  if (key == "split_dns") return read_flag(value, policy.split_dns);
  SplitProgram program;
  const bool is_user = key == "split_user";
  if (!is_user) program.cgroup = value;
  const bool read =
      is_user ? read_number(value, program.user) && program.has_user() : key == "split_cgroup";
  if (read) policy.split.push_back(std::move(program));
  return read;
}

// The line that says that they are known comes before them.
bool read_known_route(const Fields& fields, LockPolicy& policy) {
  if (fields.front() == "known_routes") {
    policy.known_routes.emplace();
    return fields.size() == 1;
  }
  const auto prefix =
      fields.size() == 3 ? net::Prefix::parse(fields[1]) : fail(ErrorCode::InvalidArgument, "");
  if (!prefix || !policy.known_routes || !is_name(fields[2])) return false;
  policy.known_routes->push_back({.destination = *prefix, .interface = std::string(fields[2])});
  return true;
}

bool read_line(const Fields& fields, LockPolicy& policy) {
  const std::string_view key = fields.front();
  if (key.starts_with("known_route")) return read_known_route(fields, policy);
  if (key == "mark" && fields.size() == 3) {
    return read_number(fields[1], policy.mark.value) && read_number(fields[2], policy.mark.mask);
  }
  if (key == "priorities" && fields.size() == 4) {
    return read_number(fields[1], policy.allowed_priority) &&
           read_number(fields[2], policy.tunnel_priority) &&
           read_number(fields[3], policy.unreachable_priority);
  }
  if (fields.size() != 2) return false;
  const std::string_view value = fields[1];
  if (key == "state") return read_state(value, policy.state);
  if (key == "manage_mark") return read_number(value, policy.manage_mark.mask);
  if (key == "owned") return read_flag(value, policy.owned);
  if (key == "table") return read_number(value, policy.table);
  if (key == "holder") {
    policy.holder = value;
    return true;
  }
  if (key.starts_with("split_")) return read_split(key, value, policy);
  return read_listed(key, value, policy);
}

}  // namespace

std::string to_text(const LockPolicy& policy) {
  std::string text;
  const auto line = [&]<class... Values>(std::string_view key, const Values&... values) {
    text += key;
    (fmt::format_to(std::back_inserter(text), "\t{}", values), ...);
    text += '\n';
  };
  const auto list = [&](std::string_view key, const auto& values) {
    for (const auto& value : values) line(key, value.to_string());
  };
  line("state", name_of(policy.state));
  line("holder", policy.holder);
  line("owned", policy.owned ? 1 : 0);
  line("mark", policy.mark.value, policy.mark.mask);
  line("manage_mark", policy.manage_mark.mask);
  line("table", policy.table);
  line("priorities", policy.allowed_priority, policy.tunnel_priority, policy.unreachable_priority);
  list("endpoint", policy.endpoints);
  for (std::uint16_t port : policy.listen_ports) line("listen_port", port);
  list("resolver", policy.resolvers);
  for (const std::string& tunnel : policy.tunnels) line("tunnel", tunnel);
  list("tunnel_address", policy.tunnel_addresses);
  list("dns", policy.dns);
  for (const LockedLan& lan : policy.lans) {
    line("lan", lan.interface);
    list("lan_prefix", lan.prefixes);
  }
  list("allowed", policy.allowed);
  list("manage", policy.manage);
  list("dhcp", policy.dhcp_servers);
  if (policy.known_routes) {
    text += "known_routes\n";
    for (const KnownRoute& route : *policy.known_routes) {
      line("known_route", route.destination.to_string(), route.interface);
    }
  }
  if (policy.split.empty()) return text;
  line("split_mark", policy.split_mark.mask);
  line("split_dns", policy.split_dns ? 1 : 0);
  for (const SplitProgram& program : policy.split) {
    if (program.has_user()) {
      line("split_user", program.user);
    } else {
      line("split_cgroup", program.cgroup);
    }
  }
  return text;
}

Result<LockPolicy> parse_lock_policy(std::string_view text) {
  LockPolicy policy;
  std::size_t number = 0;
  const auto corrupt = [&] {
    return fail(ErrorCode::InvalidArgument, fmt::format("line {}: cannot be read", number));
  };
  if (text.size() > kMaxLockRecord) return corrupt();
  for (std::string_view line : split(text, '\n')) {
    ++number;
    if (!line.empty() && !read_line(split(line, kSeparator), policy)) return corrupt();
  }
  if (Status checked = check(policy); !checked) return pass(std::move(checked));
  return policy;
}

}  // namespace ginnel::hostnet

#include "core/hostnet/standing_record.h"

#include <fmt/format.h>

#include <iterator>

#include "base/text.h"

namespace ginnel::hostnet {
namespace {

// Lines of fields between tabs, which no name and no path has that gets here:
//   boot ID | owner MARK | configuration PATH | backend NAME | index N | risen 0 or 1
//   resolver NAME | mtu N | listen_port N | fwmark N | file_fwmark N | address ADDRESS/LENGTH |
//   route PREFIX TABLE server TEXT | search TEXT | silenced INTERFACE rule FAMILY PRIORITY INVERTED
//   MARK MASK ACTION TABLE SUPPRESS FROM TO IIF OIF
// "-" stands for nothing. Routes are the interface's own.
constexpr char kSeparator = '\t';
constexpr std::string_view kNothing = "-";

std::string or_nothing(const std::string& text) {
  return text.empty() ? std::string(kNothing) : text;
}
std::string or_nothing(const std::optional<net::Prefix>& prefix) {
  return prefix ? prefix->to_string() : std::string(kNothing);
}

template <class T>
bool read(std::string_view text, T& value) {
  const auto number = parse_number<T>(text, 0, std::numeric_limits<T>::max());
  if (number) value = *number;
  return number.has_value();
}
bool read(std::string_view text, std::string& value) {
  value = text == kNothing ? std::string_view() : text;
  return true;
}
bool read(std::string_view text, std::optional<net::Prefix>& value) {
  if (text == kNothing) return true;
  const auto prefix = net::Prefix::parse(text);
  if (prefix) value = *prefix;
  return prefix.has_value();
}

std::string rule_line(const RoutingRule& rule) {
  return fmt::format("rule\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\n",
                     rule.family == net::Family::V4 ? 4 : 6, rule.priority, rule.inverted ? 1 : 0,
                     rule.mark, rule.mark_mask, std::to_underlying(rule.action), rule.table,
                     rule.suppress_prefix_length ? std::to_string(*rule.suppress_prefix_length)
                                                 : std::string(kNothing),
                     or_nothing(rule.from), or_nothing(rule.to), or_nothing(rule.in_interface),
                     or_nothing(rule.out_interface));
}

using Fields = std::vector<std::string_view>;

bool read_rule(const Fields& fields, StandingRecord& record) {
  if (fields.size() != 13 || record.rules.size() >= StandingRecord::kMaxRules) return false;
  RoutingRule rule{.origin = RouteOrigin::Unspecified};
  std::uint8_t inverted = 0;
  std::uint8_t action = 0;
  if (fields[1] != "4" && fields[1] != "6") return false;
  rule.family = fields[1] == "4" ? net::Family::V4 : net::Family::V6;
  bool good = read(fields[2], rule.priority) && read(fields[3], inverted) && inverted <= 1 &&
              read(fields[4], rule.mark) && read(fields[5], rule.mark_mask) &&
              read(fields[6], action) && read(fields[7], rule.table) &&
              read(fields[9], rule.from) && read(fields[10], rule.to) &&
              read(fields[11], rule.in_interface) && read(fields[12], rule.out_interface);
  rule.inverted = inverted == 1;
  rule.action = static_cast<RuleAction>(action);
  if (fields[8] != kNothing) good = good && read(fields[8], rule.suppress_prefix_length.emplace());
  if (good) record.rules.push_back(std::move(rule));
  return good;
}

bool read_route(const Fields& fields, StandingRecord& record) {
  if (fields.size() != 3 || record.interface.routes.size() >= StandingRecord::kMaxRoutes) {
    return false;
  }
  Route route{.interface = record.owner.interface, .origin = RouteOrigin::Boot};
  const auto prefix = net::Prefix::parse(fields[1]);
  if (!prefix || !read(fields[2], route.table)) return false;
  route.destination = *prefix;
  record.interface.routes.push_back(std::move(route));
  return true;
}

bool read_address(const Fields& fields, StandingRecord& record) {
  if (fields.size() != 2 || record.interface.addresses.size() >= StandingRecord::kMaxAddresses) {
    return false;
  }
  const auto address = net::InterfaceAddress::parse(fields[1]);
  if (address) record.interface.addresses.push_back(*address);
  return address.has_value();
}

bool read_owner(const Fields& fields, StandingRecord& record) {
  const auto owner = fields.size() == 2 ? Owner::from_mark(fields[1]) : std::nullopt;
  if (owner) record.owner = *owner;
  return owner.has_value();
}

bool read_risen(std::string_view text, StandingRecord& record) {
  record.risen = text == "1";
  return text == "0" || text == "1";
}

bool read_line(const Fields& fields, StandingRecord& record) {
  const std::string_view key = fields[0];
  if (key == "rule") return read_rule(fields, record);
  if (key == "route") return read_route(fields, record);
  if (key == "address") return read_address(fields, record);
  if (key == "owner") return read_owner(fields, record);
  if (fields.size() != 2) return false;
  if (key == "boot") return read(fields[1], record.boot);
  if (key == "configuration") return read(fields[1], record.configuration);
  if (key == "backend") return read(fields[1], record.backend);
  if (key == "index") return read(fields[1], record.index);
  if (key == "risen") return read_risen(fields[1], record);
  if (key == "resolver") return read(fields[1], record.resolver);
  if (key == "server" || key == "search") {
    auto& list = key == "server" ? record.dns.servers : record.dns.search;
    return list.size() < StandingRecord::kMaxDns && read(fields[1], list.emplace_back());
  }
  if (key == "silenced") {
    return record.silenced.size() < StandingRecord::kMaxSilenced &&
           read(fields[1], record.silenced.emplace_back());
  }
  if (key == "mtu") return read(fields[1], record.mtu);
  if (key == "listen_port") return read(fields[1], record.listen_port);
  if (key == "fwmark") return read(fields[1], record.fwmark);
  if (key == "file_fwmark") return read(fields[1], record.file_fwmark);
  return false;
}

}  // namespace

const Link* StandingRecord::find_link(const std::vector<Link>& links) const {
  const auto is_ours = [&](const Link& link) {
    if (index == 0) return link.name == owner.interface;
    if (link.index != index) return false;
    // A number may be asked for; another name and another kind is another interface.
    return link.name == owner.interface || link.kind == (backend == "kernel" ? "wireguard" : "tun");
  };
  const auto found = std::ranges::find_if(links, is_ours);
  return found == links.end() ? nullptr : &*found;
}

std::string StandingRecord::to_text() const {
  std::string text = fmt::format(
      "boot\t{}\nowner\t{}\nconfiguration\t{}\nbackend\t{}\nindex\t{}\nrisen\t{}\nresolver\t{}\n"
      "mtu\t{}\nlisten_port\t{}\nfwmark\t{}\nfile_fwmark\t{}\n",
      or_nothing(boot), owner.mark(), or_nothing(configuration), or_nothing(backend), index,
      risen ? 1 : 0, or_nothing(resolver), mtu, listen_port, fwmark, file_fwmark);
  for (const std::string& server : dns.servers) text += fmt::format("server\t{}\n", server);
  for (const std::string& domain : dns.search) text += fmt::format("search\t{}\n", domain);
  for (const std::string& name : silenced) text += fmt::format("silenced\t{}\n", name);
  for (const net::InterfaceAddress& address : interface.addresses) {
    fmt::format_to(std::back_inserter(text), "address\t{}\n", address.to_string());
  }
  for (const Route& route : interface.routes) {
    fmt::format_to(std::back_inserter(text), "route\t{}\t{}\n", route.destination.to_string(),
                   route.table);
  }
  for (const RoutingRule& rule : rules) text += rule_line(rule);
  return text;
}

Result<StandingRecord> StandingRecord::parse(std::string_view text) {
  StandingRecord record;
  std::size_t number = 0;
  const auto corrupt = [&] {
    return fail(ErrorCode::InvalidArgument, fmt::format("line {}: cannot be read", number));
  };
  if (text.size() > kMaxTextSize) return corrupt();
  for (std::string_view line : split(text, '\n')) {
    ++number;
    if (!line.empty() && !read_line(split(line, kSeparator), record)) return corrupt();
  }
  if (record.owner.interface.empty()) return corrupt();
  return record;
}

}  // namespace ginnel::hostnet

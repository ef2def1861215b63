#include "net/flow_rule.h"

#include <fmt/format.h>

#include "base/text.h"

namespace ginnel::net {
namespace {

constexpr std::string_view kAny = "any";
constexpr std::string_view kPrivate = "private";
// RFC 1918, 6598, 3927; 4193, 4291.
constexpr std::string_view kPrivatePrefixes[] = {
    "10.0.0.0/8",     "100.64.0.0/10", "169.254.0.0/16", "172.16.0.0/12",
    "192.168.0.0/16", "fc00::/7",      "fe80::/10"};
constexpr std::pair<FlowProtocol, std::string_view> kProtocols[] = {
    {FlowProtocol::Tcp, "tcp"}, {FlowProtocol::Udp, "udp"}, {FlowProtocol::Icmp, "icmp"}};

std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> words;
  for (const std::string_view word : split(text, ' ')) {
    if (!word.empty()) words.push_back(word);
  }
  return words;
}

std::unexpected<Error> wrong(std::string_view word, std::string_view remedy) {
  return fail(ErrorCode::InvalidArgument, fmt::format("\"{}\" {}", word.substr(0, 60), remedy));
}

Status read_target(std::string_view word, FlowRule& rule) {
  if (word == kAny) return ok();
  if (word == kPrivate) {
    rule.target = FlowRule::Target::Private;
    return ok();
  }
  const auto prefix = Prefix::parse(word);
  if (!prefix) {
    // A prefix with host bits says itself what was meant.
    if (word.find('/') != std::string_view::npos) return std::unexpected(prefix.error());
    return wrong(word, "is no place; begin with an address, a prefix, any or private");
  }
  rule.target = FlowRule::Target::Prefix;
  rule.prefix = *prefix;
  return ok();
}

Status read_protocol(std::string_view word, FlowRule& rule) {
  for (const auto& [protocol, name] : kProtocols) {
    if (word != name) continue;
    rule.protocol = protocol;
    return ok();
  }
  return wrong(word, "is no protocol; write tcp, udp or icmp behind the place");
}

std::optional<PortRange> read_range(std::string_view text) {
  const std::size_t dash = text.find('-');
  const auto port = [](std::string_view number) {
    return parse_number<std::uint16_t>(number, 1, UINT16_MAX);
  };
  const auto first = port(text.substr(0, dash));
  const auto last = dash == std::string_view::npos ? first : port(text.substr(dash + 1));
  if (!first || !last || *first > *last) return std::nullopt;
  return PortRange{*first, *last};
}

Status read_ports(std::string_view word, FlowRule& rule) {
  if (rule.protocol == FlowProtocol::Icmp) return wrong(word, "goes with tcp or udp only");
  for (const std::string_view item : split(word, ',')) {
    const auto range = read_range(item);
    if (!range) return wrong(item, "is no port; write numbers like 22,80-90");
    if (rule.ports.size() == FlowRule::kMaxPorts) {
      return fail(ErrorCode::Exhausted,
                  fmt::format("over {} ports; write ranges, or another rule", FlowRule::kMaxPorts));
    }
    rule.ports.push_back(*range);
  }
  return ok();
}

}  // namespace

Result<FlowRule> FlowRule::parse(std::string_view text) {
  if (text.size() > kMaxTextSize) {
    return fail(ErrorCode::Exhausted,
                fmt::format("a rule of over {} characters; write several", kMaxTextSize));
  }
  const auto words = words_of(text);
  if (words.empty() || words.size() > 3) {
    return wrong(text, "is no rule; write one like 192.168.7.0/24 tcp 22,80-90");
  }
  FlowRule rule;
  if (Status read = read_target(words[0], rule); !read) return pass(std::move(read));
  if (words.size() > 1) {
    if (Status read = read_protocol(words[1], rule); !read) return pass(std::move(read));
  }
  if (words.size() > 2) {
    if (Status read = read_ports(words[2], rule); !read) return pass(std::move(read));
  }
  return rule;
}

std::string FlowRule::to_string() const {
  std::string text(target == Target::Any       ? kAny
                   : target == Target::Private ? kPrivate
                                               : std::string_view());
  if (target == Target::Prefix) {
    text = prefix.is_host() ? prefix.address().to_string() : prefix.to_string();
  }
  for (const auto& [known, name] : kProtocols) {
    if (known == protocol) text += fmt::format(" {}", name);
  }
  for (const PortRange& range : ports) {
    text += &range == &ports.front() ? " " : ",";
    text += range.first == range.last ? fmt::format("{}", range.first)
                                      : fmt::format("{}-{}", range.first, range.last);
  }
  return text;
}

std::vector<Prefix> FlowRule::prefixes() const {
  if (target == Target::Prefix) return {prefix};
  std::vector<Prefix> all;
  if (target == Target::Private) {
    for (const std::string_view text : kPrivatePrefixes) {
      all.push_back(Prefix::parse(text).value());
    }
  }
  return all;
}

}  // namespace ginnel::net

// Where somebody may go, as a person writes it: "192.168.7.0/24 tcp 22,80-90". Values only; what
// becomes of them is core/hostnet/client_firewall.h's.
#pragma once

#include <optional>
#include <vector>

#include "net/prefix.h"

namespace ginnel::net {

struct PortRange {
  std::uint16_t first = 0;
  std::uint16_t last = 0;  // Included.
  friend auto operator<=>(const PortRange&, const PortRange&) = default;
};

enum class FlowProtocol : std::uint8_t { Any, Tcp, Udp, Icmp };

struct FlowRule {
  static constexpr std::size_t kMaxTextSize = 256;
  static constexpr std::size_t kMaxPorts = 32;  // Ports and ranges of one rule.

  enum class Target : std::uint8_t { Any, Private, Prefix };

  Target target = Target::Any;
  Prefix prefix{};  // Of Target::Prefix.
  FlowProtocol protocol = FlowProtocol::Any;
  std::vector<PortRange> ports{};  // Of TCP and UDP. Empty: all.

  // WHERE [PROTOCOL [PORTS]]: a prefix, an address, "any" or "private" (what no router of the
  // internet carries); tcp, udp or icmp; ports and ranges with commas between.
  static Result<FlowRule> parse(std::string_view text);
  std::string to_string() const;

  // What it names, for "any" nothing.
  std::vector<Prefix> prefixes() const;

  friend bool operator==(const FlowRule&, const FlowRule&) = default;
};

struct FlowRules {
  static constexpr std::size_t kMaxRules = 256;  // Of each list.

  // Absent: everything that is not denied. Present: nothing else.
  std::optional<std::vector<FlowRule>> allow{};
  std::vector<FlowRule> deny{};  // Wins over what is allowed.

  bool is_empty() const { return !allow && deny.empty(); }
  friend bool operator==(const FlowRules&, const FlowRules&) = default;
};

}  // namespace ginnel::net

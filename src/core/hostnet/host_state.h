// A host's networking as values: what os/rtnetlink.h reads and what plans are made against.
// Interfaces go by name, because a wanted one may not exist yet.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "net/prefix.h"

namespace ginnel::hostnet {

inline constexpr std::uint32_t kMainTable = 254;
inline constexpr std::uint32_t kLocalTable = 255;

struct Link {
  std::uint32_t index = 0;
  std::string name{};
  std::string kind{};  // "tun", "veth", "bridge"; empty for hardware.
  std::uint32_t mtu = 0;
  bool up = false;       // Wanted up by its owner.
  bool running = false;  // Up, and with a carrier.
  bool loopback = false;
  std::uint32_t master = 0;  // The index of the bridge, bond or VRF that it belongs to. 0: none.
  friend bool operator==(const Link&, const Link&) = default;
};

// The scopes of addresses and routes, by the kernel's numbers.
enum class Scope : std::uint8_t { Universe = 0, Site = 200, Link = 253, Host = 254, Nowhere = 255 };

struct AssignedAddress {
  std::string interface{};
  net::InterfaceAddress address{};
  Scope scope = Scope::Universe;
  bool usable = true;      // Not tentative, not a duplicate, not deprecated.
  bool temporary = false;  // RFC 8981: changes by itself.
  friend bool operator==(const AssignedAddress&, const AssignedAddress&) = default;
};

// Who put a route or rule there; the numbers are the kernel's and others exist.
enum class RouteOrigin : std::uint8_t {
  Unspecified = 0,
  Redirect = 1,
  Kernel = 2,
  Boot = 3,
  Static = 4,
  RouterAdvertisement = 9,
  Dhcp = 16,
  Ginnel = 103,  // Ours. Nobody has registered it.
};

enum class RouteType : std::uint8_t {
  Unicast = 1,
  Local = 2,
  Broadcast = 3,
  Anycast = 4,
  Multicast = 5,
  Blackhole = 6,
  Unreachable = 7,
  Prohibit = 8,
  Throw = 9,
};

// The preference of a router (RFC 4191), best first.
enum class RouterPreference : std::uint8_t { High, Medium, Low };

struct Route {
  net::Prefix destination{};
  std::optional<net::Address> gateway{};  // Absent: on-link.
  std::string interface{};                // Empty for types that lead nowhere.
  std::uint32_t table = kMainTable;
  std::uint32_t metric = 0;
  RouteOrigin origin = RouteOrigin::Static;
  RouteType type = RouteType::Unicast;
  Scope scope = Scope::Universe;
  std::optional<net::Address> source{};  // Preferred source address.
  std::uint32_t mtu = 0;                 // 0: the interface's.
  RouterPreference preference = RouterPreference::Medium;
  bool dead = false;  // Its interface is down or has no carrier.

  bool is_default() const { return destination.length() == 0; }
  // "10.0.0.0/8 via 192.168.1.1 dev eth0", as ip(8) prints it.
  std::string to_string() const;
  friend bool operator==(const Route&, const Route&) = default;
};

enum class RuleAction : std::uint8_t {
  Lookup = 1,
  Goto = 2,
  Blackhole = 6,
  Unreachable = 7,
  Prohibit = 8
};

// Of those whose sockets send; both are included.
struct UserRange {
  std::uint32_t first = 0;
  std::uint32_t last = 0;
  friend bool operator==(const UserRange&, const UserRange&) = default;
};

// A policy routing rule.
struct RoutingRule {
  net::Family family = net::Family::V4;
  std::uint32_t priority = 0;
  std::optional<net::Prefix> from{};
  std::optional<net::Prefix> to{};
  std::string in_interface{};
  std::string out_interface{};
  std::uint32_t mark = 0;
  std::uint32_t mark_mask = 0;  // 0: the mark does not matter.
  std::optional<UserRange> users{};
  bool inverted = false;
  RuleAction action = RuleAction::Lookup;
  std::uint32_t table = 0;
  std::optional<std::uint32_t> suppress_prefix_length{};
  RouteOrigin origin = RouteOrigin::Static;

  std::string to_string() const;
  friend bool operator==(const RoutingRule&, const RoutingRule&) = default;
};

// A value under /proc/sys: "net/ipv4/ip_forward".
struct Sysctl {
  std::string path{};
  std::string value{};
  friend bool operator==(const Sysctl&, const Sysctl&) = default;
};

struct HostState {
  std::vector<Link> links{};
  std::vector<AssignedAddress> addresses{};
  std::vector<Route> routes{};
  std::vector<RoutingRule> rules{};

  const Link* find_link(std::string_view name) const;
};

// "wg0", "wg1", ...: the first that no link has.
Result<std::string> first_free_name(const std::vector<Link>& links, std::string_view stem);

}  // namespace ginnel::hostnet

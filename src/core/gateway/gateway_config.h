// What a gateway is to do: its tunnels by their wg-quick files, and flags. Checked here, once, so
// that nothing downstream asks again. Names are looked up by services, never here.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/config/quick_file.h"

namespace ginnel::gateway {

inline constexpr std::size_t kMaxLanInterfaces = 64;
inline constexpr std::size_t kMaxFlagPrefixes = 256;  // Of --local and of --manage.
inline constexpr std::size_t kMaxDhcpServers = 16;

// Packets carry it that are the tunnels' own: (mark & mask) == value.
struct TransportMark {
  std::uint32_t value = 0x8888;
  std::uint32_t mask = 0xffff;
  friend bool operator==(const TransportMark&, const TransportMark&) = default;
};

// Of the policy rules: to local prefixes, into the tunnel's table, and for what finds nothing
// there.
struct RulePriorities {
  std::uint32_t local = 5;
  std::uint32_t tunnel = 10;
  std::uint32_t refuse = 11;
  friend bool operator==(const RulePriorities&, const RulePriorities&) = default;
};

// As a person wrote them.
struct GatewayFlags {
  std::vector<std::string> lan{};
  std::vector<std::string> local{};
  std::vector<std::string> manage{};
  std::vector<std::string> dns{};
  std::vector<std::string> dhcp_servers{};
  std::optional<std::string> fwmark{};
  std::optional<std::string> table{};
  std::optional<std::string> priorities{};
  std::optional<std::string> confirm{};
  std::optional<std::string> ask_after{};
  std::optional<std::string> metrics_listen{};
  bool block_ipv6 = false;
  bool kill_switch = true;
  bool resolver = true;
};

// A file that was read: the first is preferred, the others stand by.
struct GatewayFile {
  std::string path;
  std::string interface;
  config::QuickFile file;
};

struct GatewayTunnel {
  std::string interface;
  std::string path;
  config::QuickFile file;  // Has a private key, an address and one peer with an endpoint.
  // The families that it carries whole: it has an address of theirs and its peer takes everything.
  bool ipv4 = false;
  bool ipv6 = false;
  std::vector<net::Address> dns;

  bool carries(net::Family family) const { return family == net::Family::V4 ? ipv4 : ipv6; }
  const config::QuickPeer& peer() const { return file.peers.front(); }
};

struct GatewayConfig {
  std::vector<GatewayTunnel> tunnels;
  std::vector<std::string> lan;
  std::vector<net::Prefix> local;          // Besides the subnets of the LAN interfaces.
  std::vector<net::Address> dhcp_servers;  // Of the uplinks, besides those that leases name.
  std::vector<net::Prefix> manage;         // Absent: whoever started it over SSH.
  TransportMark mark;
  std::uint32_t table = 1000;
  RulePriorities priorities;
  // How long no tunnel has answered before names are asked for in clear. Zero: never.
  std::uint32_t ask_after_seconds = 135;         // As long as `up` waits to ask again.
  std::optional<std::uint32_t> confirm_seconds;  // Absent: 60 over SSH, else none. Zero: none.
  std::optional<net::Endpoint> metrics;          // Where they are told over TCP; absent: nowhere.
  bool kill_switch = true;
  bool resolver = true;               // Names are looked up for the LAN.
  std::vector<std::string> warnings;  // About lines that a gateway does not act on.

  std::vector<std::string> tunnel_names() const;
};

// Fails with one line that names the file and its line, or the flag, and what to write instead.
Result<GatewayConfig> make_gateway_config(std::vector<GatewayFile> files,
                                          const GatewayFlags& flags);

}  // namespace ginnel::gateway

// The host networking of a wg-quick file: addresses, MTU, a route for every allowed IP, and for a
// tunnel that takes everything the rules and the table that let its own datagrams out. Pure.
#pragma once

#include <string>
#include <vector>

#include "core/hostnet/standing_record.h"
#include "core/hostnet/wanted_host.h"

namespace ginnel::hostnet {

// The first table, and mark, that is tried for a tunnel that takes everything.
inline constexpr std::uint32_t kFirstQuickTable = 51820;
inline constexpr std::uint32_t kTunnelOverhead = 80;  // IPv6, UDP and WireGuard's own.
inline constexpr std::uint32_t kMaxAutomaticMtu = 1420;
inline constexpr std::uint32_t kMinAutomaticMtu = 576;

enum class QuickRoutes : std::uint8_t {
  Automatic,  // Into the main table; what takes everything, into one of its own.
  None,
  InTable,
};

// A prefix that is routed to a peer and in which is the peer's own endpoint.
struct OwnEndpoint {
  net::Prefix allowed{};
  net::Address endpoint{};
};

struct QuickTunnel {
  std::string interface{};
  std::vector<net::InterfaceAddress> addresses{};
  std::vector<net::Prefix> allowed_ips{};  // Of all peers.
  std::vector<OwnEndpoint> own_endpoints{};
  std::uint32_t mtu = 0;
  QuickRoutes routes = QuickRoutes::Automatic;
  std::uint32_t table = 0;   // Of InTable.
  std::uint32_t fwmark = 0;  // That somebody chose. 0: none.
  // What was made for it before; empty when it is coming up.
  FormerInterface former{};
  std::vector<RoutingRule> former_rules{};

  Owner owner() const { return {.role = "up", .interface = interface}; }
};

struct QuickWishes {
  WantedHost host{};
  std::uint32_t fwmark = 0;  // That the tunnel's datagrams have to carry. 0: none.
  std::vector<std::string> warnings{};
};

// Fails when no table is free.
Result<QuickWishes> quick_wishes(const HostState& host, const QuickTunnel& tunnel);

// The tables and settings that were wanted when this was recorded.
std::vector<nft::Table> standing_tables(const StandingRecord& record);
std::vector<Sysctl> standing_settings(const StandingRecord& record);

// Whether the prefixes of this family are all addresses there are: by 0.0.0.0/0, or by its halves.
bool takes_everything(const std::vector<net::Prefix>& prefixes, net::Family family);

// `path_mtus` are those of the ways to the tunnel's peers, or of the way out; empty: unknown.
std::uint32_t automatic_mtu(const std::vector<std::uint32_t>& path_mtus);

// The number of a routing table as ip(8) knows it: a number, a well-known name, or one from the
// text of /etc/iproute2/rt_tables.
std::optional<std::uint32_t> find_table(std::string_view name, std::string_view rt_tables);

}  // namespace ginnel::hostnet

// The host networking that a VPN server wants: its interface's addresses, where its clients go out,
// and one nftables table with NAT, isolation and the MSS clamp. Pure; os/host_applier.h makes it
// so.
#pragma once

#include <optional>
#include <string>

#include "core/hostnet/client_firewall.h"
#include "core/hostnet/owner.h"
#include "core/hostnet/wanted_host.h"

namespace ginnel::hostnet {

struct ServerNetwork {
  std::string interface{};
  std::vector<net::InterfaceAddress> addresses{};
  std::uint32_t mtu = 0;
  std::optional<net::Prefix> subnet4;
  std::optional<net::Prefix> subnet6;
  std::vector<net::Prefix> routed{};  // Networks behind clients. No two are the same.
  std::string uplink4;                // Empty: no way out in this family; the rest stays.
  std::string uplink6;
  std::uint16_t listen_port = 0;
  std::optional<net::Address> listen_address{};  // Absent: every address of the host.
  bool client_to_client = false;
  ClientFirewall firewall{};
  std::vector<net::FlowRule> admitted{};  // Who else may open connections to what is in the tunnel.
  // Clients reach the uplink and nothing else. For a server that was told its outbound interface:
  // when that goes away, the host's other routes must not carry what was meant for it.
  bool only_uplink = false;

  Owner owner() const { return {.role = "server", .interface = interface}; }
};

// One inet table. An accept in it never beats the drop of another table: firewall.h finds those.
nft::Table server_table(const ServerNetwork& network);
// Nobody learns by ARP, on another link, that the host has the tunnel's addresses.
nft::Table server_arp_table(const ServerNetwork& network);

// What clients' connections get as their ports on the way out: the larger of the two ranges that
// begin behind or end before the server's own port.
nft::PortRange translated_ports(std::uint16_t listen_port);

// All that it wants of the host as it is; `settings` are the host's, to be claimed in this order.
WantedHost server_host(const ServerNetwork& network, const HostState& current,
                       std::vector<Sysctl> settings);

}  // namespace ginnel::hostnet

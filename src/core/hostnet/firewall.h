// Whether somebody else's firewall stands in the way of a tunnel, and what lets the tunnel through.
// An accept in a table of our own does not: a drop in any base chain is final. Pure; the ruleset
// comes from os/nft_list.h.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/hostnet/nft_ruleset.h"
#include "core/hostnet/nft_tree.h"
#include "core/hostnet/owner.h"

namespace ginnel::hostnet {

// What has to get through.
enum class Flow : std::uint8_t {
  Listen,    // Datagrams to the tunnel's UDP port.
  Answer,    // Those that leave from it.
  Outward,   // From the tunnel to the uplink.
  Inward,    // The answers to that.
  Between,   // From one client to another.
  Ask,       // Questions of clients to a resolver on this host, by UDP
  AskByTcp,  // and by TCP.
  Call,      // Datagrams to the tunnel's peer, who is called from here.
};

struct TunnelTraffic {
  Owner owner{};  // Its own table is not looked at. The interface is the tunnel.
  std::uint16_t listen_port = 0;
  bool listen4 = true;
  bool listen6 = true;
  // Families that clients are forwarded in; an unknown uplink is left open.
  bool forward4 = true;
  bool forward6 = true;
  std::string uplink4{};
  std::string uplink6{};
  // Behind which the clients are; empty: the tunnel. Behind a gateway's LAN interface, the tunnel
  // is their uplink.
  std::string clients{};
  // Where the peer listens that is called; 0: none is. In the families of listen4 and listen6.
  std::uint16_t call_port = 0;
  bool client_to_client = false;
  bool answers_names = false;  // Clients ask a resolver here, in the families they have.
  // For rules that name interfaces by number; may be incomplete.
  std::vector<std::pair<std::string, std::uint32_t>> interface_indexes{};
};

struct FirewallBlock {
  Flow flow = Flow::Listen;
  std::vector<net::Family> families{};  // That it drops.
  // False: some rule that cannot be read might let it through.
  bool certain = true;
  std::string reason{};    // "chain FORWARD of table ip filter drops it by its policy".
  std::string command{};   // The exact command that lets it through.
  bool insertable = true;  // False: the table belongs to a running program that guards it.

  // One rule of ours at the head of this chain lets it through as well.
  nft::Family table_family = nft::Family::Inet;
  std::string table{};
  std::string chain{};
  nft::Rule rule{};
};

std::string_view name_of(Flow flow);  // "traffic from the clients to the internet".

// One for each flow and each chain that drops it. Empty: nothing that nf_tables shows is in the
// way.
std::vector<FirewallBlock> find_blocks(const nft::Ruleset& ruleset, const TunnelTraffic& traffic);

// iptables-legacy filters beside nf_tables and cannot be seen through it. `names4` and `names6` are
// /proc/net/ip_tables_names and ip6_tables_names. Returns a sentence that says what cannot be told
// and how to find out, or nothing when there is no such filter.
std::optional<std::string> unseen_firewall(std::string_view names4, std::string_view names6);

}  // namespace ginnel::hostnet

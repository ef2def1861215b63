// What the clients of a server may open, as chains and maps of its table, and who may open what to
// them. A client is told by where
// a connection was opened from, and found by one lookup, however many there are.
#pragma once

#include "core/hostnet/nft_tree.h"
#include "net/flow_rule.h"

namespace ginnel::hostnet {

// Of one client.
struct ClientRules {
  std::vector<net::Prefix> sources{};  // All that it may send from. No other client's overlap.
  net::FlowRules rules{};
  friend bool operator==(const ClientRules&, const ClientRules&) = default;
};

struct ClientFirewall {
  net::FlowRules everyone{};           // Holds for each client; its own rules only take more away.
  std::vector<ClientRules> clients{};  // Those with rules of their own.
  // Addresses of the server whose DNS stays open, because clients were told to ask there.
  std::vector<net::Address> dns{};

  bool is_empty() const { return everyone.is_empty() && clients.empty(); }
  friend bool operator==(const ClientFirewall&, const ClientFirewall&) = default;
};

inline constexpr std::string_view kClientChain = "clients";

// Adds the chain kClientChain and what it needs. It looks at the connection and not at the packet,
// and returns for what is permitted. It has to see what clients open, and what answers that: a
// connection that was permitted once so ends with the permission. It cannot judge what belongs to
// no connection.
void append_client_firewall(const ClientFirewall& firewall, nft::Table& table);

inline constexpr std::string_view kAdmissionChain = "admitted";

// Accepts connections into the tunnel that the rules name by where they come from and what they
// lead to, and drops all others. It has to see the packets of those who open them, and is for
// nobody else.
nft::Chain admission_chain(const std::vector<net::FlowRule>& admitted);

}  // namespace ginnel::hostnet

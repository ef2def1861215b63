// What carries an owner's mark in nf_tables: its own table, and single rules in other people's.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/hostnet/firewall.h"
#include "core/hostnet/owner.h"
#include "os/nft_socket.h"
#include "os/sysctl_claims.h"

namespace ginnel::os {

// Puts the one rule into somebody else's chain that lets the flow through. Fails with
// PermissionDenied, naming the command to use instead, when the table is guarded by its owner.
Status open_firewall(NftSocket& socket, const hostnet::FirewallBlock& block);

// Removes every table and every rule with this mark, in one transaction.
Status remove_marked(NftSocket& socket, const hostnet::Owner& owner);

// Removes what owners left that are not alive: they were killed. What is there of the claims' own
// owner is left from a former life, because this one has made nothing yet. Returns them.
Result<std::vector<hostnet::Owner>> remove_leftovers(NftSocket& socket, const SysctlClaims& claims);

// hostnet::unseen_firewall() of this host.
std::optional<std::string> unseen_firewall();

}  // namespace ginnel::os

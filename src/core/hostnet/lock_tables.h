// The second and third layer of a kill switch: what netfilter lets out of the host and through it,
// and what each device lets out of itself, raw senders included.
#pragma once

#include <vector>

#include "core/hostnet/lock_policy.h"
#include "core/hostnet/nft_tree.h"

namespace ginnel::hostnet {

// An inet table, a netdev one with a chain for each device, and an arp one, without which the
// strict settings would keep us from our neighbours. Replaced in one transaction. Nothing in the
// state Off. REQUIRES: check() accepts the policy.
std::vector<nft::Table> lock_tables(const LockPolicy& policy);

// On the rules that count what a program beside the tunnel sends ("output") and gets ("input").
std::string lock_split_comment(std::size_t place);

// Of a device's chain in the netdev table.
std::string lock_chain_name(const LockedDevice& device);

}  // namespace ginnel::hostnet

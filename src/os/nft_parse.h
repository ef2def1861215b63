// The kernel's nf_tables messages as core/hostnet's values. Pure functions over one message; what
// is not understood gives nothing, or something that says it is not understood.
#pragma once

#include "core/hostnet/nft_ruleset.h"

struct nlmsghdr;

namespace ginnel::os {

// Elements of one set that are read; a longer set is marked unreadable.
inline constexpr std::size_t kMaxListedElements = 256 * 1024;

// Each adds what the message tells of. A chain, rule or set goes to its table, and a rule to its
// chain; without those it is not added. `chain` is where the last rule went, 0 at first: the kernel
// lists rules in the order of their chains, of which there may be thousands.
void parse_nft_table(const nlmsghdr& message, hostnet::nft::Ruleset& ruleset);
void parse_nft_chain(const nlmsghdr& message, hostnet::nft::Ruleset& ruleset);
void parse_nft_rule(const nlmsghdr& message, hostnet::nft::Ruleset& ruleset, std::size_t& chain);
void parse_nft_set(const nlmsghdr& message, hostnet::nft::Ruleset& ruleset);
// False when there are too many, or ones that cannot be told as keys.
bool parse_nft_elements(const nlmsghdr& message, hostnet::nft::Set& set);

}  // namespace ginnel::os

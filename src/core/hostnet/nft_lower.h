// From the syntax tree to what the kernel runs: the same expressions that nft(8) makes of the
// printed text, which a test compares.
#pragma once

#include "base/result.h"
#include "core/hostnet/nft_ruleset.h"

namespace ginnel::hostnet::nft {

// Lowers one rule of a table of `family`. Anonymous sets get ids from `next_set_id` on, which is
// moved past them. Fails on what the kernel or nft(8) would not take: an empty or overlong list,
// two families in one list, a name that is too long.
Result<Program> lower(Family family, const Rule& rule, std::uint32_t& next_set_id);

// Checks names, lengths and the targets of jumps.
Status check_names(const Table& table);

// REQUIRES: check_names() of its table found nothing.
Set to_set(const VerdictMap& map);
Set to_set(const FadingSet& fading);

// The table as it is listed once it is loaded, but for handles, and with sets named "set1", "set2",
// and so on: for judging it, and to compare it with what is loaded. Fails as lower() does.
Result<ListedTable> as_listed(const Table& table);

}  // namespace ginnel::hostnet::nft

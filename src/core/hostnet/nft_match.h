// Whether what the kernel has loaded is, to the byte, what was meant to be. Counters, handles and
// the names of anonymous sets aside.
#pragma once

#include "core/hostnet/nft_ruleset.h"

namespace ginnel::hostnet::nft {

// False also when `wanted` cannot be loaded at all.
bool is_loaded(const ListedTable& listed, const Table& wanted);

}  // namespace ginnel::hostnet::nft

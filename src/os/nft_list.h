// Reads what nf_tables has loaded, everybody's.
#pragma once

#include "core/hostnet/nft_ruleset.h"
#include "os/nft_socket.h"

namespace ginnel::os {

// Elements of one set that are read; a longer set is marked unreadable.
inline constexpr std::size_t kMaxListedElements = 4096;

// Tables, chains, rules and sets. What changes while it is read is read again.
Result<hostnet::nft::Ruleset> read_ruleset(NftSocket& socket);

}  // namespace ginnel::os

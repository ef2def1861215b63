// Reads what nf_tables has loaded, everybody's.
#pragma once

#include "core/hostnet/nft_ruleset.h"
#include "os/nft_socket.h"

namespace ginnel::os {

// Tables, chains, rules and sets. What changes while it is read is read again.
Result<hostnet::nft::Ruleset> read_ruleset(NftSocket& socket);

}  // namespace ginnel::os

// Names that mean the same everywhere, and that nobody outside is asked about (RFC 6761, 7686): the
// question alone would tell what somebody is looking for.
#pragma once

#include "core/dns/message.h"

namespace ginnel::dns {

// The answer to a question about such a name, as if it had been stored; nothing for all others.
// "localhost" and what is below it is the asker's own loopback; "onion" and "invalid" do not exist.
std::optional<StoredAnswer> answer_special(const Query& query);

}  // namespace ginnel::dns

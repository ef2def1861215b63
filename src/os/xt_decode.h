// The matches and targets that iptables-nft could not express in nf_tables itself, carried as the
// binary structures of x_tables.
#pragma once

#include <string_view>

#include "base/bytes.h"
#include "core/hostnet/nft_expression.h"

namespace ginnel::os {

// Safe on any bytes: what is too short, of another revision or of another kind is Opaque.
hostnet::nft::Expression decode_xt_match(std::string_view name, unsigned revision, ByteView info);
hostnet::nft::Expression decode_xt_target(std::string_view name);

}  // namespace ginnel::os

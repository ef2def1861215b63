// One expression of a loaded rule, as libnftnl parsed it, as core/hostnet's value: the other
// direction of os/nft_compile.h. What it does not know becomes Opaque, never something else.
#pragma once

#include "core/hostnet/nft_expression.h"

struct nftnl_expr;

namespace ginnel::os {

hostnet::nft::Expression decode_expression(const nftnl_expr* expression);

}  // namespace ginnel::os

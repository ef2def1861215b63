// A ruleset in the language of nft(8): for messages, for people, and for the test that lets nft
// itself check what nft_lower.h makes of it.
#pragma once

#include <string>

#include "core/hostnet/nft_tree.h"

namespace ginnel::hostnet::nft {

std::string_view name_of(Family family);
std::string_view name_of(Hook hook);
std::string_view name_of(ChainType type);

std::string print(const Term& term);
std::string print(const Rule& rule);
// "table inet NAME { ... }", which `nft -f` loads.
std::string print(const Table& table);

// A string as nft(8) quotes it. What it cannot quote is left out.
std::string quoted(std::string_view text);

}  // namespace ginnel::hostnet::nft

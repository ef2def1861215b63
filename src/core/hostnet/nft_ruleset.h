// What the kernel has loaded, everybody's: as os/nft_list.h reads it and nft_verdict.h judges it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/hostnet/nft_expression.h"

namespace ginnel::hostnet::nft {

struct Counted {
  std::uint64_t packets = 0;
  std::uint64_t bytes = 0;
  friend bool operator==(const Counted&, const Counted&) = default;
};

struct ListedRule {
  std::uint64_t handle = 0;
  std::string comment{};
  std::vector<Expression> expressions{};
  Counted counted{};  // By its counter, if it has one.
  friend bool operator==(const ListedRule&, const ListedRule&) = default;
};

struct ListedChain {
  std::string name{};
  std::optional<Base> base{};
  std::vector<ListedRule> rules{};
  friend bool operator==(const ListedChain&, const ListedChain&) = default;
};

struct ListedTable {
  Family family = Family::Inet;
  std::string name{};
  std::string comment{};
  bool owned = false;       // By a running process: nobody else may change it.
  std::uint32_t owner = 0;  // The netlink port of its socket.
  bool dormant = false;     // Switched off.
  std::vector<Set> sets{};
  std::vector<ListedChain> chains{};

  const ListedChain* find_chain(std::string_view chain) const;
  const Set* find_set(std::string_view set) const;
  friend bool operator==(const ListedTable&, const ListedTable&) = default;
};

struct Ruleset {
  std::vector<ListedTable> tables{};
};

}  // namespace ginnel::hostnet::nft

// The members of a list in a match, sorted and without what others cover: the one form that the
// printer prints and the lowering lowers, so that both decide alike between a value and a set.
#pragma once

#include <algorithm>
#include <vector>

#include "core/hostnet/nft_tree.h"

namespace ginnel::hostnet::nft {

template <class T>
std::vector<T> normalized(std::vector<T> members) {
  std::ranges::sort(members);
  members.erase(std::ranges::unique(members).begin(), members.end());
  return members;
}

// A prefix sorts before those it contains.
inline std::vector<net::Prefix> normalized(std::vector<net::Prefix> prefixes) {
  std::ranges::sort(prefixes);
  std::vector<net::Prefix> kept;
  for (const net::Prefix& prefix : prefixes) {
    if (kept.empty() || !kept.back().contains(prefix)) kept.push_back(prefix);
  }
  return kept;
}

// Joins ranges that overlap or touch, unless all are single ports.
inline std::vector<PortRange> normalized(std::vector<PortRange> ports) {
  std::ranges::sort(ports);
  const bool all_single =
      std::ranges::all_of(ports, [](const PortRange& p) { return p.first == p.last; });
  std::vector<PortRange> kept;
  for (const PortRange& range : ports) {
    const bool joins =
        !kept.empty() && (all_single ? range == kept.back() : range.first <= kept.back().last + 1);
    if (joins) {
      kept.back().last = std::max(kept.back().last, range.last);
    } else {
      kept.push_back(range);
    }
  }
  return kept;
}

inline bool needs_intervals(const VerdictMap& map) {
  return !std::ranges::all_of(map.jumps, [](const auto& jump) { return jump.first.is_host(); });
}

inline const VerdictMap* find_map(const Table& table, const std::string& name) {
  const auto found = std::ranges::find(table.maps, name, &VerdictMap::name);
  return found == table.maps.end() ? nullptr : &*found;
}

inline const FadingSet* find_fading(const Table& table, const std::string& name) {
  const auto found = std::ranges::find(table.fading, name, &FadingSet::name);
  return found == table.fading.end() ? nullptr : &*found;
}

}  // namespace ginnel::hostnet::nft

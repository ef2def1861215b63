#include "core/hostnet/nft_match.h"

#include <algorithm>

#include "core/hostnet/nft_lower.h"

namespace ginnel::hostnet::nft {
namespace {

bool is_same(const Set& a, const Set& b) {
  if (!a.readable || !b.readable || a.interval != b.interval || a.key_length != b.key_length ||
      a.elements.size() != b.elements.size()) {
    return false;
  }
  // The kernel lists elements in an order of its own.
  return std::ranges::is_permutation(a.elements, b.elements);
}

class Comparison {
 public:
  Comparison(const ListedTable& listed, const ListedTable& wanted)
      : listed_(listed), wanted_(wanted) {}

  bool operator()(const ListedRule& a, const ListedRule& b) const {
    if (a.comment != b.comment || a.expressions.size() != b.expressions.size()) return false;
    for (std::size_t i = 0; i < a.expressions.size(); ++i) {
      if (!is_same_expression(a.expressions[i], b.expressions[i])) return false;
    }
    return true;
  }

 private:
  bool is_same_expression(const Expression& a, const Expression& b) const {
    const auto* one = std::get_if<Lookup>(&a);
    const auto* other = std::get_if<Lookup>(&b);
    if (!one || !other) return a == b;
    if (one->from != other->from || one->is != other->is ||
        one->verdict_map != other->verdict_map) {
      return false;
    }
    const Set* set = listed_.find_set(one->set);
    const Set* meant = wanted_.find_set(other->set);
    return set && meant && nft::is_same(*set, *meant);
  }

  const ListedTable& listed_;
  const ListedTable& wanted_;
};

}  // namespace

bool is_loaded(const ListedTable& listed, const Table& wanted) {
  const auto meant = as_listed(wanted);
  if (!meant) return false;
  if (listed.family != meant->family || listed.name != meant->name ||
      listed.comment != meant->comment || listed.owned != meant->owned || listed.dormant ||
      listed.chains.size() != meant->chains.size()) {
    return false;
  }
  const Comparison is_same(listed, *meant);
  return std::ranges::all_of(meant->chains, [&](const ListedChain& chain) {
    const ListedChain* loaded = listed.find_chain(chain.name);
    return loaded && loaded->base == chain.base &&
           std::ranges::equal(loaded->rules, chain.rules, is_same);
  });
}

}  // namespace ginnel::hostnet::nft

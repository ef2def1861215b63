#include "core/hostnet/nft_match.h"

#include <algorithm>
#include <tuple>
#include <unordered_map>

#include "core/hostnet/nft_lower.h"

namespace ginnel::hostnet::nft {
namespace {

using Elements = std::vector<const SetElement*>;

Elements in_order(const std::vector<SetElement>& elements) {
  Elements sorted;
  sorted.reserve(elements.size());
  for (const SetElement& element : elements) sorted.push_back(&element);
  std::ranges::sort(sorted, {},
                    [](const SetElement* e) { return std::tie(e->key, e->interval_end); });
  return sorted;
}

bool is_same(const Set& listed, const Set& meant) {
  if (!listed.readable || !meant.readable || listed.interval != meant.interval ||
      listed.key_length != meant.key_length || listed.fades != meant.fades) {
    return false;
  }
  // What is forgotten is what was meant, too.
  if (meant.fades) {
    return std::ranges::all_of(listed.elements, [&](const SetElement& element) {
      return std::ranges::find(meant.elements, element) != meant.elements.end();
    });
  }
  // The kernel lists elements in an order of its own.
  return std::ranges::equal(in_order(listed.elements), in_order(meant.elements),
                            [](const auto* one, const auto* other) { return *one == *other; });
}

// What is listed, or meant to be, by its name: there may be ten thousand.
template <class T>
class ByName {
 public:
  explicit ByName(const std::vector<T>& all) {
    for (const T& one : all) known_.try_emplace(one.name, &one);
  }
  const T* find(std::string_view name) const {
    const auto found = known_.find(name);
    return found == known_.end() ? nullptr : found->second;
  }

 private:
  std::unordered_map<std::string_view, const T*> known_;
};

class Comparison {
 public:
  Comparison(const ListedTable& listed, const ListedTable& wanted)
      : listed_(listed.sets), wanted_(wanted.sets) {}

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
    const Set* set = listed_.find(one->set);
    const Set* meant = wanted_.find(other->set);
    return set && meant && nft::is_same(*set, *meant);
  }

  ByName<Set> listed_;
  ByName<Set> wanted_;
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
  const ByName<ListedChain> chains(listed.chains);
  return std::ranges::all_of(meant->chains, [&](const ListedChain& chain) {
    const ListedChain* loaded = chains.find(chain.name);
    return loaded && loaded->base == chain.base &&
           std::ranges::equal(loaded->rules, chain.rules, is_same);
  });
}

}  // namespace ginnel::hostnet::nft

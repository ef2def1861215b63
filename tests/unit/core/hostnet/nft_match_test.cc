#include "core/hostnet/nft_match.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "core/hostnet/nft_lower.h"

namespace ginnel::hostnet::nft {
namespace {

net::Prefix prefix(std::string_view text) { return net::Prefix::parse(text).value(); }

Table sample() {
  Table table{.name = "t", .comment = "ginnel:server:wg0"};
  table.maps = {
      {.name = "m", .jumps = {{prefix("10.0.0.2/32"), "one"}, {prefix("10.0.0.3/32"), "other"}}}};
  table.chains = {
      {.name = "c",
       .base = Base{.hook = Hook::Forward},
       .rules = {{.terms = {AddressIn{.prefixes = {prefix("10.0.0.0/8"), prefix("9.9.9.9/32")}},
                            Accept{}}},
                 {.terms = {ConnAddressMap{.map = "m"}}}}},
      {.name = "one", .rules = {{.terms = {Drop{}}}}},
      {.name = "other", .rules = {{.terms = {Accept{}}}}}};
  return table;
}

TEST(IsLoaded, TheOrderOfElementsAndChainsDoesNotMatter) {
  ListedTable listed = as_listed(sample()).value();
  ASSERT_EQ(listed.sets.size(), 2u);
  for (Set& set : listed.sets) std::ranges::reverse(set.elements);
  std::ranges::reverse(listed.chains);
  std::ranges::reverse(listed.sets);
  EXPECT_TRUE(is_loaded(listed, sample()));
}

TEST(IsLoaded, WhatTheKernelHasForgottenIsMissedByNobody) {
  Table table = sample();
  table.fading = {{.name = "asked",
                   .addresses = {net::Address::parse("9.9.9.9").value()},
                   .lifetime = std::chrono::seconds(20)}};
  table.chains[0].rules.push_back({.terms = {AddressInSet{.set = "asked"}, Accept{}}});
  ListedTable listed = as_listed(table).value();
  ASSERT_TRUE(is_loaded(listed, table));
  Set* set = &*std::ranges::find(listed.sets, "asked", &Set::name);
  auto elements = std::exchange(set->elements, {});
  EXPECT_TRUE(is_loaded(listed, table));
  elements[0].key[3] ^= 1;
  set->elements = elements;  // Somebody else's.
  EXPECT_FALSE(is_loaded(listed, table));
  set->elements.clear();
  set->fades = false;
  EXPECT_FALSE(is_loaded(listed, table));
}

TEST(IsLoaded, EveryDifferenceCounts) {
  using Change = void (*)(ListedTable&);
  const std::pair<const char*, Change> changes[] = {
      {"name", [](ListedTable& t) { t.name = "u"; }},
      {"comment", [](ListedTable& t) { t.comment.clear(); }},
      {"owner", [](ListedTable& t) { t.owned = true; }},
      {"switched off", [](ListedTable& t) { t.dormant = true; }},
      {"a chain more", [](ListedTable& t) { t.chains.push_back({.name = "more"}); }},
      {"a chain less", [](ListedTable& t) { t.chains.pop_back(); }},
      {"another chain", [](ListedTable& t) { t.chains.back().name = "renamed"; }},
      {"policy", [](ListedTable& t) { t.chains[0].base->policy = Policy::Drop; }},
      {"a rule less", [](ListedTable& t) { t.chains[1].rules.clear(); }},
      {"order of rules", [](ListedTable& t) { std::ranges::reverse(t.chains[0].rules); }},
      {"another rule", [](ListedTable& t) { t.chains[1].rules = t.chains[2].rules; }},
      {"an element less", [](ListedTable& t) { t.sets[0].elements.pop_back(); }},
      {"another element", [](ListedTable& t) { t.sets[0].elements[0].key[3] ^= 1; }},
      {"one leads elsewhere",
       [](ListedTable& t) { t.sets[0].elements[0].verdict->chain = "other"; }},
      {"all lead elsewhere",
       [](ListedTable& t) {
         std::swap(t.sets[0].elements[0].verdict, t.sets[0].elements[1].verdict);
       }},
      {"an element twice", [](ListedTable& t) { t.sets[0].elements[1] = t.sets[0].elements[0]; }},
      {"an anonymous set's end", [](ListedTable& t) { t.sets[1].elements.back().key.back() ^= 1; }},
      {"a set that cannot be read", [](ListedTable& t) { t.sets[1].readable = false; }},
      {"a set that is gone", [](ListedTable& t) { t.sets.pop_back(); }},
  };
  ASSERT_TRUE(is_loaded(as_listed(sample()).value(), sample()));
  for (const auto& [what, change] : changes) {
    SCOPED_TRACE(what);
    ListedTable listed = as_listed(sample()).value();
    change(listed);
    EXPECT_FALSE(is_loaded(listed, sample()));
  }
}

}  // namespace
}  // namespace ginnel::hostnet::nft

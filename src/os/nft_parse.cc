#include "os/nft_parse.h"

#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>

#include <algorithm>

#include "os/nft_decode.h"
#include "os/nft_object.h"

namespace ginnel::os {
namespace {

using namespace hostnet::nft;

constexpr std::uint32_t kTableOwned = 0x2;  // NFT_TABLE_F_OWNER; not in every kernel's headers.

std::string text_or_empty(const char* text) { return text ? text : ""; }

// The comment in a table's or a rule's user data.
std::string comment_in(const void* data, std::uint32_t size) {
  std::string comment;
  const auto read = [](const nftnl_udata* attribute, void* into) {
    if (nftnl_udata_type(attribute) != NFTNL_UDATA_RULE_COMMENT) return 0;
    const auto* text = static_cast<const char*>(nftnl_udata_get(attribute));
    static_cast<std::string*>(into)->assign(text, ::strnlen(text, nftnl_udata_len(attribute)));
    return 0;
  };
  if (data) nftnl_udata_parse(data, size, read, &comment);
  return comment;
}

ListedTable* find_table(Ruleset& ruleset, std::uint32_t family, const char* name) {
  const auto known = family_from(family);
  if (!known || !name) return nullptr;
  for (ListedTable& table : ruleset.tables) {
    if (table.family == *known && table.name == name) return &table;
  }
  return nullptr;
}

}  // namespace

void parse_nft_table(const nlmsghdr& message, Ruleset& ruleset) {
  auto object = own<NftnlTable>(nftnl_table_alloc());
  if (nftnl_table_nlmsg_parse(&message, object.get()) < 0) return;
  const auto family = family_from(nftnl_table_get_u32(object.get(), NFTNL_TABLE_FAMILY));
  if (!family) return;
  const std::uint32_t flags = nftnl_table_get_u32(object.get(), NFTNL_TABLE_FLAGS);
  std::uint32_t size = 0;
  const void* data = nftnl_table_get_data(object.get(), NFTNL_TABLE_USERDATA, &size);
  ruleset.tables.push_back(
      {.family = *family,
       .name = text_or_empty(nftnl_table_get_str(object.get(), NFTNL_TABLE_NAME)),
       .comment = comment_in(data, size),
       .owned = (flags & kTableOwned) != 0,
       .owner = nftnl_table_get_u32(object.get(), NFTNL_TABLE_OWNER),
       .dormant = (flags & NFT_TABLE_F_DORMANT) != 0});
}

void parse_nft_chain(const nlmsghdr& message, Ruleset& ruleset) {
  auto object = own<NftnlChain>(nftnl_chain_alloc());
  if (nftnl_chain_nlmsg_parse(&message, object.get()) < 0) return;
  ListedTable* table = find_table(ruleset, nftnl_chain_get_u32(object.get(), NFTNL_CHAIN_FAMILY),
                                  nftnl_chain_get_str(object.get(), NFTNL_CHAIN_TABLE));
  if (!table) return;
  ListedChain chain{.name = text_or_empty(nftnl_chain_get_str(object.get(), NFTNL_CHAIN_NAME))};
  if (nftnl_chain_is_set(object.get(), NFTNL_CHAIN_HOOKNUM)) {
    const auto hook =
        hook_from(table->family, nftnl_chain_get_u32(object.get(), NFTNL_CHAIN_HOOKNUM));
    const std::string type = text_or_empty(nftnl_chain_get_str(object.get(), NFTNL_CHAIN_TYPE));
    const bool drops = nftnl_chain_get_u32(object.get(), NFTNL_CHAIN_POLICY) == NF_DROP;
    if (hook) {
      chain.base =
          Base{.type = type == "nat"     ? ChainType::Nat
                       : type == "route" ? ChainType::Route
                                         : ChainType::Filter,
               .hook = *hook,
               .priority = nftnl_chain_get_s32(object.get(), NFTNL_CHAIN_PRIO),
               .policy = drops ? Policy::Drop : Policy::Accept,
               .device = text_or_empty(nftnl_chain_get_str(object.get(), NFTNL_CHAIN_DEV))};
    }
  }
  table->chains.push_back(std::move(chain));
}

void parse_nft_rule(const nlmsghdr& message, Ruleset& ruleset, std::size_t& chain) {
  auto object = own<NftnlRule>(nftnl_rule_alloc());
  if (nftnl_rule_nlmsg_parse(&message, object.get()) < 0) return;
  ListedTable* table = find_table(ruleset, nftnl_rule_get_u32(object.get(), NFTNL_RULE_FAMILY),
                                  nftnl_rule_get_str(object.get(), NFTNL_RULE_TABLE));
  if (!table) return;
  const std::string name = text_or_empty(nftnl_rule_get_str(object.get(), NFTNL_RULE_CHAIN));
  const auto near =
      table->chains.begin() + static_cast<std::ptrdiff_t>(std::min(chain, table->chains.size()));
  auto found = std::ranges::find(near, table->chains.end(), name, &ListedChain::name);
  if (found == table->chains.end()) {
    found = std::ranges::find(table->chains.begin(), near, name, &ListedChain::name);
    if (found == near) return;
  }
  chain = static_cast<std::size_t>(found - table->chains.begin());
  std::uint32_t size = 0;
  const void* data = nftnl_rule_get_data(object.get(), NFTNL_RULE_USERDATA, &size);
  ListedRule rule{.handle = nftnl_rule_get_u64(object.get(), NFTNL_RULE_HANDLE),
                  .comment = comment_in(data, size)};
  const auto decode = [](nftnl_expr* expression, void* into) {
    auto& listed = *static_cast<ListedRule*>(into);
    listed.expressions.push_back(decode_expression(expression));
    if (std::holds_alternative<Counter>(listed.expressions.back())) {
      listed.counted = {nftnl_expr_get_u64(expression, NFTNL_EXPR_CTR_PACKETS),
                        nftnl_expr_get_u64(expression, NFTNL_EXPR_CTR_BYTES)};
    }
    return 0;
  };
  nftnl_expr_foreach(object.get(), decode, &rule);
  found->rules.push_back(std::move(rule));
}

void parse_nft_set(const nlmsghdr& message, Ruleset& ruleset) {
  auto object = own<NftnlSet>(nftnl_set_alloc());
  if (nftnl_set_nlmsg_parse(&message, object.get()) < 0) return;
  ListedTable* table = find_table(ruleset, nftnl_set_get_u32(object.get(), NFTNL_SET_FAMILY),
                                  nftnl_set_get_str(object.get(), NFTNL_SET_TABLE));
  if (!table) return;
  const std::uint32_t flags = nftnl_set_get_u32(object.get(), NFTNL_SET_FLAGS);
  table->sets.push_back({.name = text_or_empty(nftnl_set_get_str(object.get(), NFTNL_SET_NAME)),
                         .key_length = nftnl_set_get_u32(object.get(), NFTNL_SET_KEY_LEN),
                         .interval = (flags & NFT_SET_INTERVAL) != 0,
                         .verdict_map = (flags & NFT_SET_MAP) != 0,
                         .fades = (flags & NFT_SET_TIMEOUT) != 0,
                         .readable = (flags & NFT_SET_CONCAT) == 0});
}

bool parse_nft_elements(const nlmsghdr& message, Set& set) {
  auto object = own<NftnlSet>(nftnl_set_alloc());
  if (nftnl_set_elems_nlmsg_parse(&message, object.get()) < 0) return false;
  using Iterator = std::unique_ptr<nftnl_set_elems_iter, NftnlFree<nftnl_set_elems_iter_destroy>>;
  auto iterator = own<Iterator>(nftnl_set_elems_iter_create(object.get()));
  while (nftnl_set_elem* element = nftnl_set_elems_iter_next(iterator.get())) {
    if (set.elements.size() >= kMaxListedElements) return false;
    std::uint32_t size = 0;
    const auto* key =
        static_cast<const std::uint8_t*>(nftnl_set_elem_get(element, NFTNL_SET_ELEM_KEY, &size));
    const std::uint32_t flags = nftnl_set_elem_is_set(element, NFTNL_SET_ELEM_FLAGS)
                                    ? nftnl_set_elem_get_u32(element, NFTNL_SET_ELEM_FLAGS)
                                    : 0;
    if (!key) return false;  // The catch-all element, which stands for every key.
    SetElement added{.key = Bytes(key, key + size),
                     .interval_end = (flags & NFT_SET_ELEM_INTERVAL_END) != 0};
    if (nftnl_set_elem_is_set(element, NFTNL_SET_ELEM_VERDICT)) {
      const auto kind = verdict_from(nftnl_set_elem_get_u32(element, NFTNL_SET_ELEM_VERDICT));
      if (!kind) return false;
      added.verdict =
          Verdict{.kind = *kind,
                  .chain = text_or_empty(nftnl_set_elem_get_str(element, NFTNL_SET_ELEM_CHAIN))};
    }
    set.elements.push_back(std::move(added));
  }
  return true;
}

}  // namespace ginnel::os

// libnftnl's objects, owned; and the kernel's numbers for core/hostnet's enumerators.
#pragma once

#include <libnftnl/chain.h>
#include <libnftnl/expr.h>
#include <libnftnl/rule.h>
#include <libnftnl/set.h>
#include <libnftnl/table.h>
#include <libnftnl/udata.h>

#include <memory>
#include <optional>

#include "base/check.h"
#include "core/hostnet/nft_expression.h"

namespace ginnel::os {

template <auto kFree>
struct NftnlFree {
  template <class T>
  void operator()(T* object) const {
    kFree(object);
  }
};
using NftnlTable = std::unique_ptr<nftnl_table, NftnlFree<nftnl_table_free>>;
using NftnlChain = std::unique_ptr<nftnl_chain, NftnlFree<nftnl_chain_free>>;
using NftnlRule = std::unique_ptr<nftnl_rule, NftnlFree<nftnl_rule_free>>;
using NftnlSet = std::unique_ptr<nftnl_set, NftnlFree<nftnl_set_free>>;

// libnftnl's constructors fail only without memory.
template <class Owned, class T>
Owned own(T* object) {
  CHECK(object != nullptr);
  return Owned(object);
}

std::uint8_t number_of(hostnet::nft::Family family);
std::optional<hostnet::nft::Family> family_from(std::uint32_t number);
std::uint32_t number_of(hostnet::nft::Family family, hostnet::nft::Hook hook);
std::optional<hostnet::nft::Hook> hook_from(hostnet::nft::Family family, std::uint32_t number);
std::uint32_t number_of(hostnet::nft::MetaKey key);
hostnet::nft::MetaKey meta_key_from(std::uint32_t number);
std::uint32_t number_of(hostnet::nft::ConnKey key);
hostnet::nft::ConnKey conn_key_from(std::uint32_t number);
std::uint32_t number_of(hostnet::nft::CompareWith with);
hostnet::nft::CompareWith compare_from(std::uint32_t number);
std::uint32_t number_of(hostnet::nft::VerdictKind kind);
std::optional<hostnet::nft::VerdictKind> verdict_from(std::uint32_t number);
// A register of the kernel from and to its byte offset; nothing for the verdict register.
std::uint32_t register_number(hostnet::nft::Register offset);
std::optional<hostnet::nft::Register> register_from(std::uint32_t number);
// nft(8)'s own numbers for the types of keys, kept with a set so that it can print the set.
std::uint32_t number_of(hostnet::nft::KeyType type);

}  // namespace ginnel::os

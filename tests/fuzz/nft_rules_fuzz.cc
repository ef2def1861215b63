// A ruleset of somebody else's: its expressions, as libnftnl holds them, are decoded and judged,
// and whatever they say, a firewall is found or not, with words that can be printed. The messages
// themselves are libnftnl's to read; it trusts the kernel, and ends a process that does not.
#include <libnftnl/expr.h>
#include <linux/netfilter/nf_tables.h>

#include <cstdlib>

#include "base/check.h"
#include "core/hostnet/firewall.h"
#include "fuzz/fuzz_input.h"
#include "os/nft_decode.h"
#include "os/nft_object.h"
#include "os/xt_decode.h"

namespace ginnel::os {
namespace {

using namespace hostnet::nft;

constexpr const char* kKinds[] = {
    "meta",      "payload", "ct",     "fib",    "rt",    "immediate", "bitwise",
    "byteorder", "cmp",     "range",  "lookup", "match", "target",    "exthdr",
    "reject",    "log",     "nat",    "masq",   "redir", "counter",   "queue",
    "notrack",   "limit",   "numgen", "hash",   "quota", "objref",    "connlimit"};
constexpr const char* kMatches[] = {"conntrack", "state",    "udp",     "tcp",
                                    "multiport", "addrtype", "comment", "other"};
constexpr int kMaxActions = 64;

std::string name_in(FuzzInput& in) {
  return std::string(1, static_cast<char>('a' + in.byte() % 4));
}

// Attributes that libnftnl keeps as text.
bool is_text(std::string_view kind, std::uint16_t attribute) {
  return (kind == "lookup" && attribute == NFTNL_EXPR_LOOKUP_SET) ||
         (kind == "log" && attribute == NFTNL_EXPR_LOG_PREFIX);
}

// A verdict with its chain. libnftnl keeps a value in the same place, and frees a chain only for
// these two, as the kernel sends them.
void set_jump(nftnl_expr* expression, FuzzInput& in) {
  if (nftnl_expr_is_set(expression, NFTNL_EXPR_IMM_DATA)) return;
  const std::uint32_t verdict = in.byte() % 2 == 0 ? NFT_JUMP : NFT_GOTO;
  nftnl_expr_set_u32(expression, NFTNL_EXPR_IMM_VERDICT, verdict);
  nftnl_expr_set_str(expression, NFTNL_EXPR_IMM_CHAIN, name_in(in).c_str());
}

// Registers and numbers are four bytes; values to compare with may be of any length up to 64.
void set_attribute(nftnl_expr* expression, std::string_view kind, FuzzInput& in) {
  const auto attribute = static_cast<std::uint16_t>(in.byte() % 8 + 1);
  if (kind == "immediate") {
    if (nftnl_expr_is_set(expression, NFTNL_EXPR_IMM_CHAIN)) return;
    if (attribute == NFTNL_EXPR_IMM_CHAIN) return set_jump(expression, in);
  }
  if (is_text(kind, attribute)) {
    nftnl_expr_set_str(expression, attribute, name_in(in).c_str());
    return;
  }
  const bool is_value = (kind == "immediate" && attribute == NFTNL_EXPR_IMM_DATA) ||
                        (kind == "cmp" && attribute == NFTNL_EXPR_CMP_DATA) ||
                        (kind == "range" && attribute >= NFTNL_EXPR_RANGE_FROM_DATA) ||
                        (kind == "bitwise" && attribute >= NFTNL_EXPR_BITWISE_MASK);
  // Room for whatever libnftnl takes.
  std::array<std::uint8_t, 256> value{};
  const std::size_t size = is_value ? in.byte() % 65 : 4;
  const ByteView given = in.bytes(size);
  std::copy(given.begin(), given.end(), value.begin());
  nftnl_expr_set(expression, attribute, value.data(), static_cast<std::uint32_t>(size));
}

Expression read_match(FuzzInput& in) {
  const char* name = kMatches[in.byte() % std::size(kMatches)];
  const unsigned revision = in.byte() % 4;
  return decode_xt_match(name, revision, in.bytes(in.byte()));
}

Expression read_expression(FuzzInput& in) {
  const std::string_view kind = kKinds[in.byte() % std::size(kKinds)];
  if (kind == "match") return read_match(in);
  using Owned = std::unique_ptr<nftnl_expr, NftnlFree<nftnl_expr_free>>;
  const auto expression = own<Owned>(nftnl_expr_alloc(kind.data()));
  // The first keeps what it is given; the second has nothing to set, and libnftnl does not ask.
  const bool is_bare = kind == "target" || kind == "notrack";
  const int attributes = is_bare ? 0 : in.byte() % 6;
  for (int i = 0; i < attributes; ++i) set_attribute(expression.get(), kind, in);
  return decode_expression(expression.get());
}

Set read_set(FuzzInput& in) {
  Set set{.name = name_in(in), .key_length = in.byte() % 20u};
  const std::uint8_t flags = in.byte();
  set.interval = (flags & 1) != 0;
  set.readable = (flags & 2) == 0;
  for (int i = flags / 4 % 8; i > 0; --i) {
    const ByteView key = in.bytes((flags & 128) != 0 ? in.byte() % 20 : set.key_length);
    const std::uint8_t what = in.byte();
    SetElement element{.key = Bytes(key.begin(), key.end()), .interval_end = (what & 1) != 0};
    if (const auto kind = verdict_from(static_cast<std::uint32_t>(what / 2 % 8) - 5)) {
      element.verdict = Verdict{.kind = *kind, .chain = name_in(in)};
    }
    set.elements.push_back(std::move(element));
  }
  return set;
}

ListedChain read_chain(FuzzInput& in) {
  ListedChain chain{.name = name_in(in)};
  const std::uint8_t what = in.byte();
  if (what % 2 == 0) {
    chain.base = Base{.type = what % 16 == 2 ? ChainType::Nat : ChainType::Filter,
                      .hook = static_cast<Hook>(what / 16 % 7),
                      .priority = what / 32,
                      .policy = what % 4 == 0 ? Policy::Drop : Policy::Accept};
  }
  return chain;
}

Ruleset read_ruleset(FuzzInput& in) {
  Ruleset ruleset;
  ruleset.tables.push_back({.name = "t"});
  for (int i = 0; i < kMaxActions && !in.empty(); ++i) {
    ListedTable& table = ruleset.tables.back();
    const std::uint8_t what = in.byte();
    if (what % 16 == 0) {
      ruleset.tables.push_back({.family = static_cast<Family>(what / 16 % 6), .name = "u"});
    } else if (what % 16 == 1) {
      table.sets.push_back(read_set(in));
    } else if (what % 16 <= 3 || table.chains.empty()) {
      table.chains.push_back(read_chain(in));
    } else if (what % 16 <= 5 || table.chains.back().rules.empty()) {
      table.chains.back().rules.push_back({.handle = static_cast<std::uint64_t>(i)});
    } else {
      table.chains.back().rules.back().expressions.push_back(read_expression(in));
    }
  }
  return ruleset;
}

void read(ByteView input) {
  FuzzInput in(input);
  const Ruleset ruleset = read_ruleset(in);
  for (const bool between : {false, true}) {
    const hostnet::TunnelTraffic traffic{.owner = {.role = "server", .interface = "wg0"},
                                         .listen_port = 51820,
                                         .uplink4 = "eth0",
                                         .uplink6 = "eth0",
                                         .client_to_client = between,
                                         .interface_indexes = {{"wg0", 7}, {"eth0", 2}}};
    for (const hostnet::FirewallBlock& block : hostnet::find_blocks(ruleset, traffic)) {
      CHECK(!block.families.empty() && !block.reason.empty() && !block.command.empty());
    }
  }
}

}  // namespace
}  // namespace ginnel::os

// It leaks what is set twice, which no kernel does.
extern "C" const char* __lsan_default_suppressions() { return "leak:libnftnl\n"; }

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  ginnel::os::read({data, size});
  return 0;
}

#include "os/marked_rules.h"

#include <fmt/format.h>

#include "core/hostnet/nft_print.h"
#include "os/file.h"
#include "os/nft_list.h"

namespace ginnel::os {
namespace {

namespace nft = hostnet::nft;
using hostnet::Owner;

constexpr std::size_t kMaxNamesSize = 4096;

// Appends the removal of all that `is_unwanted` says of its mark.
template <class IsUnwanted>
void append_removals(const nft::Ruleset& ruleset, IsUnwanted&& is_unwanted, NftBatch& batch) {
  for (const nft::ListedTable& table : ruleset.tables) {
    if (is_unwanted(table.comment)) {
      batch.delete_table(table.family, table.name);
      continue;  // Its rules go along.
    }
    for (const nft::ListedChain& chain : table.chains) {
      const NftPlace place{.family = table.family, .table = table.name, .chain = chain.name};
      for (const nft::ListedRule& rule : chain.rules) {
        if (is_unwanted(rule.comment)) batch.delete_rule(place, rule.handle);
      }
    }
  }
}

}  // namespace

Status open_firewall(NftSocket& socket, const hostnet::FirewallBlock& block) {
  if (!block.insertable) {
    return fail(ErrorCode::PermissionDenied,
                fmt::format("table {} {} is guarded by the program that made it; run: {}",
                            name_of(block.table_family), block.table, block.command));
  }
  NftBatch batch;
  const NftPlace place{.family = block.table_family, .table = block.table, .chain = block.chain};
  if (Status inserted = batch.insert_rule(place, block.rule); !inserted) return inserted;
  return socket.commit(std::move(batch));
}

Status remove_marked(NftSocket& socket, const Owner& owner) {
  const auto ruleset = read_ruleset(socket);
  if (!ruleset) return std::unexpected(ruleset.error());
  const std::string mark = owner.mark();
  NftBatch batch;
  append_removals(*ruleset, [&](const std::string& comment) { return comment == mark; }, batch);
  return socket.commit(std::move(batch));
}

Result<std::vector<Owner>> remove_leftovers(NftSocket& socket, const SysctlClaims& claims) {
  const auto ruleset = read_ruleset(socket);
  if (!ruleset) return std::unexpected(ruleset.error());
  std::vector<Owner> dead;
  NftBatch batch;
  const auto is_left_over = [&](const std::string& comment) {
    const auto owner = Owner::from_mark(comment);
    if (!owner || (*owner != claims.owner() && claims.is_alive(*owner))) return false;
    if (std::ranges::find(dead, *owner) == dead.end()) dead.push_back(*owner);
    return true;
  };
  append_removals(*ruleset, is_left_over, batch);
  if (Status committed = socket.commit(std::move(batch)); !committed) {
    return pass(std::move(committed));
  }
  return dead;
}

std::optional<std::string> unseen_firewall() {
  // Of this thread's network namespace, and absent without the module.
  const auto names = [](const char* file) {
    return read_file(fmt::format("/proc/thread-self/net/{}", file), kMaxNamesSize).value_or("");
  };
  return hostnet::unseen_firewall(names("ip_tables_names"), names("ip6_tables_names"));
}

}  // namespace ginnel::os

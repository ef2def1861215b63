#include "os/host_applier.h"

#include <tuple>

#include "os/marked_rules.h"
#include "os/nft_list.h"

namespace ginnel::os {
namespace {

using hostnet::nft::ListedTable;
using hostnet::nft::Table;

bool is_same(const ListedTable& listed, const Table& table) {
  return listed.family == table.family && listed.name == table.name;
}

}  // namespace

Result<HostApplier> HostApplier::open(const std::string& run_directory, const hostnet::Owner& owner,
                                      SysctlClaims::Former former) {
  auto rtnetlink = Rtnetlink::open();
  if (!rtnetlink) return pass(std::move(rtnetlink));
  auto nft = NftSocket::open();
  if (!nft) return pass(std::move(nft));
  auto claims = SysctlClaims::open(run_directory, owner, SysctlTree(), former);
  if (!claims) return pass(std::move(claims));
  return HostApplier(std::move(*rtnetlink), std::move(*nft), std::move(*claims));
}

// A table that stands as it is wanted is left alone: loading it would set its counters back.
Status HostApplier::load_tables(const std::vector<Table>& wanted) {
  const auto listed = read_ruleset(nft_);
  if (!listed) return std::unexpected(listed.error());
  const std::string mark = claims_.owner().mark();
  NftBatch batch;
  for (const ListedTable& standing : listed->tables) {
    const auto is_wanted = [&](const Table& table) { return is_same(standing, table); };
    if (standing.comment == mark && std::ranges::none_of(wanted, is_wanted)) {
      batch.delete_table(standing.family, standing.name);
    }
  }
  for (const Table& table : wanted) {
    const bool stands =
        std::ranges::find(tables_, table) != tables_.end() &&
        std::ranges::any_of(listed->tables, [&](const auto& l) { return is_same(l, table); });
    if (stands) continue;
    if (Status compiled = batch.replace_table(table); !compiled) return compiled;
  }
  if (Status committed = nft_.commit(std::move(batch)); !committed) return committed;
  tables_ = wanted;
  return ok();
}

Status HostApplier::claim_settings(const std::vector<hostnet::Sysctl>& wanted) {
  return wanted.empty() ? claims_.release() : claims_.claim(wanted);
}

Status HostApplier::apply(const hostnet::WantedHost& wanted) {
  const auto state = rtnetlink_.read();
  if (!state) return std::unexpected(state.error());
  const auto operations = hostnet::plan(*state, wanted.network);
  if (!operations) return std::unexpected(operations.error());
  std::vector<Table> former = tables_;
  if (Status loaded = load_tables(wanted.tables); !loaded) return loaded;
  Status applied = claim_settings(wanted.sysctls);
  if (applied) applied = changes_.apply(rtnetlink_, *operations);
  // What was refused is what the caller has to hear of. Settings go back with remove_all().
  if (!applied) std::ignore = load_tables(former);
  return applied;
}

Status HostApplier::undo_changes() { return changes_.undo(rtnetlink_); }

// Settings first: the host stops to forward before the rules for it are gone.
Status HostApplier::remove_all() {
  const Status released = claims_.release();
  const Status removed = remove_marked(nft_, claims_.owner());
  tables_.clear();
  return released ? removed : released;
}

}  // namespace ginnel::os

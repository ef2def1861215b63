#include "os/host_applier.h"

#include <tuple>

#include "core/hostnet/nft_match.h"
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

Result<bool> HostApplier::can_own_tables(const hostnet::nft::Ruleset& listed) {
  if (!owner_) return false;
  if (can_own_) return *can_own_;
  const bool seen = std::ranges::any_of(listed.tables, &ListedTable::owned);
  if (seen) {
    can_own_ = true;
    return true;
  }
  const auto knows = owner_->knows_owned_tables();
  if (knows) can_own_ = *knows;
  return knows;
}

Result<Fd> HostApplier::owner_descriptor() const {
  if (!owner_) return fail(ErrorCode::NotFound, "no socket owns the tables");
  return owner_->duplicate();
}

// A table that stands as it is wanted is left alone: loading it would set its counters back. What
// the kernel forgets of it begins anew.
Status HostApplier::append_changes(const hostnet::nft::Ruleset& listed,
                                   const std::vector<Table>& wanted, NftBatch& batch) {
  const bool wants_owned = std::ranges::any_of(wanted, &Table::owned);
  const auto can_own = owner_ && wants_owned ? can_own_tables(listed) : Result<bool>(false);
  if (!can_own) return std::unexpected(can_own.error());
  for (Table table : wanted) {
    table.owned = table.owned && *can_own;
    const auto is_it = [&](const ListedTable& l) { return is_loaded(l, table); };
    if (table.fading.empty() && std::ranges::any_of(listed.tables, is_it)) continue;
    const auto former = std::ranges::find_if(
        listed.tables, [&](const ListedTable& l) { return is_same(l, table); });
    // A plain table cannot be made an owned one, nor the other way round: it is deleted and
    // created, in one transaction.
    if (former != listed.tables.end()) batch.delete_table(table.family, table.name);
    if (Status compiled = batch.add_table(table); !compiled) return compiled;
  }
  return ok();
}

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
  if (Status compiled = append_changes(*listed, wanted, batch); !compiled) return compiled;
  if (Status committed = writer().commit(std::move(batch)); !committed) return committed;
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

Status HostApplier::hold(const hostnet::WantedHost& wanted) {
  const Status loaded = load_tables(wanted.tables);
  const Status claimed = claim_settings(wanted.sysctls);
  const auto state = rtnetlink_.read();
  if (!state) return std::unexpected(state.error());
  const auto operations = hostnet::plan(*state, wanted.network);
  if (!operations) return std::unexpected(operations.error());
  const Status changed = changes_.apply_each(rtnetlink_, *operations);
  return !loaded ? loaded : !claimed ? claimed : changed;
}

Status HostApplier::undo_changes() { return changes_.undo(rtnetlink_); }

// Settings first: the host stops to forward before the rules for it are gone.
Status HostApplier::remove_all() {
  const Status released = claims_.release();
  const Status removed = remove_marked(writer(), claims_.owner());
  tables_.clear();
  return released ? removed : released;
}

}  // namespace ginnel::os

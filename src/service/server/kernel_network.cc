#include "service/server/kernel_network.h"

#include "base/log.h"

namespace ginnel::server {
namespace {

void log_failure(const Status& status) {
  if (!status) log::error("clean-up: {}", status.error().message);
}

}  // namespace

Result<std::unique_ptr<KernelNetwork>> KernelNetwork::open(const std::string& run_directory,
                                                           const std::string& interface) {
  const hostnet::Owner owner{.role = "server", .interface = interface};
  auto rtnetlink = os::Rtnetlink::open();
  if (!rtnetlink) return pass(std::move(rtnetlink));
  auto nft = os::NftSocket::open();
  if (!nft) return pass(std::move(nft));
  auto claims = os::SysctlClaims::open(run_directory, owner, os::SysctlTree());
  if (!claims) return pass(std::move(claims));
  return std::make_unique<KernelNetwork>(Key{}, owner, std::move(*rtnetlink), std::move(*nft), std::move(*claims));
}

Result<hostnet::HostState> KernelNetwork::read() { return rtnetlink_.read(); }

Status KernelNetwork::apply(const HostWishes& wishes) {
  Status applied = try_apply(wishes);
  if (applied) {
    applied_ = wishes;
  } else if (applied_) {
    log_failure(try_apply(*applied_));
  } else {
    undo();
  }
  return applied;
}

// Rules first: nothing is forwarded before they stand.
Status KernelNetwork::try_apply(const HostWishes& wishes) {
  auto state = rtnetlink_.read();
  if (!state) return pass(std::move(state));
  const auto plan = hostnet::plan(*state, {.interfaces = {{.name = wishes.rules.interface,
                                                           .mtu = wishes.mtu,
                                                           .addresses = wishes.addresses}}});
  if (!plan) return std::unexpected(plan.error());
  if (Status loaded = apply_table(wishes); !loaded) return loaded;
  if (Status changed = changes_.apply(rtnetlink_, *plan); !changed) return changed;
  return os::enable_forwarding(claims_, {.ipv4 = true, .ipv6 = wishes.rules.subnet6.has_value()},
                               state->routes);
}

// Loading it again would set its counters back, so only when it differs.
Status KernelNetwork::apply_table(const HostWishes& wishes) {
  hostnet::nft::Table table = hostnet::server_table(wishes.rules);
  if (table_ == table) return ok();
  os::NftBatch batch;
  if (Status compiled = batch.replace_table(table); !compiled) return compiled;
  if (Status committed = nft_.commit(std::move(batch)); !committed) return committed;
  table_ = std::move(table);
  return ok();
}

void KernelNetwork::undo() {
  log_failure(claims_.release());
  log_failure(changes_.undo(rtnetlink_));
  if (table_) {
    os::NftBatch batch;
    batch.delete_table(table_->family, table_->name);
    log_failure(nft_.commit(std::move(batch)));
    table_.reset();
  }
  applied_.reset();
}

std::vector<Finding> KernelNetwork::find_obstacles(const HostWishes&) { return {}; }

}  // namespace ginnel::server

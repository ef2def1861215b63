#include "service/server/kernel_network.h"

#include <fmt/format.h>

#include "base/log.h"
#include "core/hostnet/forwarding.h"
#include "core/hostnet/outbound_routing.h"
#include "os/marked_rules.h"
#include "os/nft_list.h"

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
  // Without it, an uplink that appears waits for its router's next unasked advertisement.
  auto solicitor = os::RouterSolicitor::open();
  if (!solicitor) log::debug("{}", solicitor.error().message);
  auto network = std::make_unique<KernelNetwork>(
      Key{}, owner, std::move(*rtnetlink), std::move(*nft), std::move(*claims),
      solicitor ? std::optional(std::move(*solicitor)) : std::nullopt);
  if (Status removed = network->remove_marked(); !removed) return pass(std::move(removed));
  if (Status removed = network->remove_dead_outbound(); !removed) return pass(std::move(removed));
  return network;
}

Result<hostnet::HostState> KernelNetwork::read() { return rtnetlink_.read(); }

Status KernelNetwork::apply(const HostWishes& given) {
  HostWishes wishes = given;
  if (wishes.rules.subnet6 && !claims_.tree().read(hostnet::kForwarding6)) {
    // Booted with ipv6.disable=1: clients get addresses that lead nowhere, as where there is no way
    // out for IPv6.
    wishes.rules.subnet6.reset();
    std::erase_if(wishes.addresses,
                  [](const net::InterfaceAddress& own) { return !own.address.is_v4(); });
  }
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
  if (wishes.rules.subnet6) {
    if (Status allowed = allow_ipv6(wishes.rules.interface); !allowed) return allowed;
  }
  auto state = rtnetlink_.read();
  if (!state) return pass(std::move(state));
  const auto plan = hostnet::plan(*state, {.interfaces = {{.name = wishes.rules.interface,
                                                           .mtu = wishes.mtu,
                                                           .addresses = wishes.addresses}}});
  if (!plan) return std::unexpected(plan.error());
  if (Status loaded = apply_table(wishes); !loaded) return loaded;
  if (Status changed = changes_.apply(rtnetlink_, *plan); !changed) return changed;
  if (Status led = apply_outbound(wishes, *state); !led) return led;
  if (Status opened = open_firewall(wishes); !opened) return opened;
  return forward(wishes, *state);
}

Status KernelNetwork::forward(const HostWishes& wishes, const hostnet::HostState& state) {
  const auto late = os::enable_forwarding(
      claims_,
      {.ipv4 = true, .ipv6 = wishes.rules.subnet6.has_value(), .tunnel = wishes.rules.interface},
      state);
  if (!late) return std::unexpected(late.error());
  for (const std::string& interface : *late) {
    // Where the address is not ready, the kernel itself asks when it is.
    const hostnet::Link* link = state.find_link(interface);
    if (!solicitor_ || link == nullptr || !hostnet::can_solicit(state, interface)) continue;
    if (Status asked = solicitor_->solicit(link->index); !asked) {
      log::debug("{}: {}", interface, asked.error().message);
    }
  }
  return ok();
}

// A host that does without IPv6 forbids it on new interfaces too. Ours takes the setting along when
// it goes.
Status KernelNetwork::allow_ipv6(const std::string& interface) {
  const std::string path = fmt::format("net/ipv6/conf/{}/disable_ipv6", interface);
  const auto disabled = claims_.tree().read(path);
  if (!disabled || *disabled != "1") return ok();
  return claims_.tree().write(path, "0");
}

Status KernelNetwork::apply_outbound(const HostWishes& wishes, const hostnet::HostState& state) {
  const hostnet::ServerNetwork& rules = wishes.rules;
  const std::string outbound = rules.only_uplink ? rules.uplink4 : "";
  const auto operations =
      hostnet::plan_outbound(state, {.tunnel = rules.interface,
                                     .outbound = outbound,
                                     .table = hostnet::outbound_table(rules.listen_port),
                                     .ipv6 = rules.subnet6.has_value()});
  if (Status changed = changes_.apply(rtnetlink_, operations); !changed) return changed;
  if (outbound.empty()) return ok();
  // The host itself would send answers elsewhere, so a strict filter drops what comes in there.
  const std::string filter = fmt::format("net/ipv4/conf/{}/rp_filter", outbound);
  for (const std::string& path : {filter, std::string("net/ipv4/conf/all/rp_filter")}) {
    const auto strictness = claims_.tree().read(path);
    if (strictness && *strictness == "1") return claims_.claim({{.path = filter, .value = "2"}});
  }
  return ok();
}

Status KernelNetwork::remove_dead_outbound() {
  const auto state = rtnetlink_.read();
  if (!state) return std::unexpected(state.error());
  const auto operations = hostnet::remove_outbound(*state, [&](const std::string& tunnel) {
    const hostnet::Owner owner{.role = owner_.role, .interface = tunnel};
    return owner == owner_ || !claims_.is_alive(owner);
  });
  for (const hostnet::Operation& operation : operations) {
    if (Status removed = rtnetlink_.apply(operation); !removed) return removed;
  }
  return ok();
}

// Loading it again would set its counters back, so only when it differs or somebody flushed it.
Status KernelNetwork::apply_table(const HostWishes& wishes) {
  hostnet::nft::Table table = hostnet::server_table(wishes.rules);
  const auto loaded = os::read_ruleset(nft_);
  if (!loaded) return std::unexpected(loaded.error());
  const bool is_there = std::ranges::any_of(loaded->tables, [&](const auto& other) {
    return other.family == table.family && other.name == table.name;
  });
  if (is_there && table_ == table) return ok();
  os::NftBatch batch;
  if (Status compiled = batch.replace_table(table); !compiled) return compiled;
  if (Status committed = nft_.commit(std::move(batch)); !committed) return committed;
  table_ = std::move(table);
  return ok();
}

Status KernelNetwork::open_firewall(const HostWishes& wishes) {
  if (!wishes.open_firewall) return ok();
  const auto blocks = find_blocks(wishes);
  if (!blocks) return std::unexpected(blocks.error());
  os::NftBatch batch;
  for (const hostnet::FirewallBlock& block : *blocks) {
    if (!block.insertable) continue;
    const os::NftPlace place{
        .family = block.table_family, .table = block.table, .chain = block.chain};
    if (Status added = batch.insert_rule(place, block.rule); !added) return added;
    log::info("firewall opened for {} in chain {} of table {}", name_of(block.flow), block.chain,
              block.table);
  }
  return nft_.commit(std::move(batch));
}

Result<std::vector<hostnet::FirewallBlock>> KernelNetwork::find_blocks(const HostWishes& wishes) {
  const auto ruleset = os::read_ruleset(nft_);
  if (!ruleset) return std::unexpected(ruleset.error());
  const auto links = rtnetlink_.read_links();
  if (!links) return std::unexpected(links.error());
  hostnet::TunnelTraffic traffic{.owner = owner_,
                                 .listen_port = wishes.rules.listen_port,
                                 .forward4 = !wishes.rules.uplink4.empty(),
                                 .forward6 = wishes.rules.subnet6 && !wishes.rules.uplink6.empty(),
                                 .uplink4 = wishes.rules.uplink4,
                                 .uplink6 = wishes.rules.uplink6,
                                 .client_to_client = wishes.rules.client_to_client};
  for (const hostnet::Link& link : *links) {
    traffic.interface_indexes.emplace_back(link.name, link.index);
  }
  return hostnet::find_blocks(*ruleset, traffic);
}

Status KernelNetwork::remove_marked() {
  const auto ruleset = os::read_ruleset(nft_);
  if (!ruleset) return std::unexpected(ruleset.error());
  const auto is_to_go = [&](const std::string& comment) {
    const auto owner = hostnet::Owner::from_mark(comment);
    if (!owner || owner->role != owner_.role) return false;
    return *owner == owner_ || !claims_.is_alive(*owner);
  };
  os::NftBatch batch;
  for (const hostnet::nft::ListedTable& table : ruleset->tables) {
    if (is_to_go(table.comment)) {
      batch.delete_table(table.family, table.name);
      continue;
    }
    for (const hostnet::nft::ListedChain& chain : table.chains) {
      for (const hostnet::nft::ListedRule& rule : chain.rules) {
        if (!is_to_go(rule.comment)) continue;
        batch.delete_rule({.family = table.family, .table = table.name, .chain = chain.name},
                          rule.handle);
      }
    }
  }
  return nft_.commit(std::move(batch));
}

void KernelNetwork::undo() {
  log_failure(claims_.release());
  log_failure(changes_.undo(rtnetlink_));
  log_failure(remove_marked());
  table_.reset();
  applied_.reset();
}

std::vector<Finding> KernelNetwork::find_obstacles(const HostWishes& wishes) {
  const auto blocks = find_blocks(wishes);
  if (!blocks) {
    return {{"firewall-unknown", "other firewalls cannot be read: " + blocks.error().message, ""}};
  }
  std::vector<Finding> findings;
  for (const hostnet::FirewallBlock& block : *blocks) {
    findings.push_back({block.certain ? "firewall-blocks-overlay" : "firewall-may-block-overlay",
                        fmt::format("{}: {}", name_of(block.flow), block.reason), block.command});
  }
  if (const auto unseen = os::unseen_firewall()) {
    findings.push_back({"firewall-unseen", *unseen, ""});
  }
  return findings;
}

}  // namespace ginnel::server

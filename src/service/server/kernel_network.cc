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
  auto applier = os::HostApplier::open(run_directory, {.role = "server", .interface = interface},
                                       os::SysctlClaims::Former::PutBack);
  if (!applier) return pass(std::move(applier));
  // Without it, an uplink that appears waits for its router's next unasked advertisement.
  auto solicitor = os::RouterSolicitor::open();
  if (!solicitor) log::debug("{}", solicitor.error().message);
  auto network = std::make_unique<KernelNetwork>(
      Key{}, std::move(*applier), solicitor ? std::optional(std::move(*solicitor)) : std::nullopt);
  if (Status removed = network->remove_dead_servers(); !removed) return pass(std::move(removed));
  return network;
}

Status KernelNetwork::remove_dead_servers() {
  const os::SysctlClaims& claims = applier_.claims();
  if (auto removed = os::remove_leftovers(applier_.nft(), claims); !removed) {
    return pass(std::move(removed));
  }
  const auto state = applier_.read();
  if (!state) return std::unexpected(state.error());
  const auto operations =
      hostnet::plan(*state, hostnet::without_outbound(*state, [&](const std::string& tunnel) {
        const hostnet::Owner owner{.role = "server", .interface = tunnel};
        return owner == claims.owner() || !claims.is_alive(owner);
      }));
  if (!operations) return std::unexpected(operations.error());
  for (const hostnet::Operation& operation : *operations) {
    if (Status removed = applier_.rtnetlink().apply(operation); !removed) return removed;
  }
  return ok();
}

Result<hostnet::HostState> KernelNetwork::read() { return applier_.read(); }

Status KernelNetwork::apply(const HostWishes& given) {
  HostWishes wishes = given;
  if (wishes.network.subnet6 && !applier_.claims().tree().read(hostnet::kForwarding6)) {
    // Booted with ipv6.disable=1: clients get addresses that lead nowhere, as where there is no way
    // out for IPv6.
    wishes.network.subnet6.reset();
    std::erase_if(wishes.network.addresses,
                  [](const net::InterfaceAddress& own) { return !own.address.is_v4(); });
    std::erase_if(wishes.network.routed,
                  [](const net::Prefix& network) { return network.family() == net::Family::V6; });
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

Status KernelNetwork::try_apply(const HostWishes& wishes) {
  const hostnet::ServerNetwork& network = wishes.network;
  if (network.subnet6) {
    if (Status allowed = allow_ipv6(network.interface); !allowed) return allowed;
  }
  const auto state = applier_.read();
  if (!state) return std::unexpected(state.error());
  auto forwarding = os::forwarding_settings(
      applier_.claims(),
      {.ipv4 = true, .ipv6 = network.subnet6.has_value(), .tunnel = network.interface}, *state);
  if (!forwarding) return pass(std::move(forwarding));
  if (auto loose = loose_filter(network)) forwarding->settings.push_back(std::move(*loose));
  const Status applied =
      applier_.apply(hostnet::server_host(network, *state, std::move(forwarding->settings)));
  if (!applied) return applied;
  ask_routers(forwarding->late, *state);
  if (Status opened = open_firewall(wishes); !opened) return opened;
  if (wishes.answers_names) return resolver_.follow(network.interface, network.addresses);
  resolver_.stop();
  return ok();
}

void KernelNetwork::ask_routers(const std::vector<std::string>& interfaces,
                                const hostnet::HostState& state) {
  for (const std::string& interface : interfaces) {
    // Where the address is not ready, the kernel itself asks when it is.
    const hostnet::Link* link = state.find_link(interface);
    if (!solicitor_ || link == nullptr || !hostnet::can_solicit(state, interface)) continue;
    if (Status asked = solicitor_->solicit(link->index); !asked) {
      log::debug("{}: {}", interface, asked.error().message);
    }
  }
}

// A host that does without IPv6 forbids it on new interfaces too. Ours takes the setting along when
// it goes.
Status KernelNetwork::allow_ipv6(const std::string& interface) {
  const os::SysctlTree& tree = applier_.claims().tree();
  const std::string path = fmt::format("net/ipv6/conf/{}/disable_ipv6", interface);
  const auto disabled = tree.read(path);
  if (!disabled || *disabled != "1") return ok();
  return tree.write(path, "0");
}

std::optional<hostnet::Sysctl> KernelNetwork::loose_filter(const hostnet::ServerNetwork& network) {
  // A client that is in a network behind it comes in by the uplink, and is answered there.
  const bool may_be_inside = std::ranges::any_of(
      network.routed, [](const net::Prefix& routed) { return routed.family() == net::Family::V4; });
  if ((!network.only_uplink && !may_be_inside) || network.uplink4.empty()) return std::nullopt;
  const std::string filter = fmt::format("net/ipv4/conf/{}/rp_filter", network.uplink4);
  for (const std::string& path : {filter, std::string("net/ipv4/conf/all/rp_filter")}) {
    const auto strictness = applier_.claims().tree().read(path);
    if (strictness && *strictness == "1") return hostnet::Sysctl{.path = filter, .value = "2"};
  }
  return std::nullopt;
}

Status KernelNetwork::open_firewall(const HostWishes& wishes) {
  if (!wishes.open_firewall) return ok();
  const auto blocks = find_blocks(wishes);
  if (!blocks) return std::unexpected(blocks.error());
  for (const hostnet::FirewallBlock& block : *blocks) {
    if (!block.insertable) continue;
    if (Status opened = os::open_firewall(applier_.nft(), block); !opened) return opened;
    log::info("firewall opened for {} in chain {} of table {}", name_of(block.flow), block.chain,
              block.table);
  }
  return ok();
}

Result<std::vector<hostnet::FirewallBlock>> KernelNetwork::find_blocks(const HostWishes& wishes) {
  const auto ruleset = os::read_ruleset(applier_.nft());
  if (!ruleset) return std::unexpected(ruleset.error());
  const auto links = applier_.rtnetlink().read_links();
  if (!links) return std::unexpected(links.error());
  const hostnet::ServerNetwork& network = wishes.network;
  hostnet::TunnelTraffic traffic{.owner = applier_.claims().owner(),
                                 .listen_port = network.listen_port,
                                 .forward4 = !network.uplink4.empty(),
                                 .forward6 = network.subnet6 && !network.uplink6.empty(),
                                 .uplink4 = network.uplink4,
                                 .uplink6 = network.uplink6,
                                 .client_to_client = network.client_to_client,
                                 .answers_names = wishes.answers_names};
  for (const hostnet::Link& link : *links) {
    traffic.interface_indexes.emplace_back(link.name, link.index);
  }
  return hostnet::find_blocks(*ruleset, traffic);
}

void KernelNetwork::undo() {
  resolver_.stop();
  log_failure(applier_.undo_changes());
  log_failure(applier_.remove_all());
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

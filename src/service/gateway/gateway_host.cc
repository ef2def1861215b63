#include "service/gateway/gateway_host.h"

#include <fmt/format.h>

#include "base/log.h"
#include "core/hostnet/firewall.h"
#include "core/hostnet/forwarding.h"
#include "os/connection_table.h"
#include "os/marked_rules.h"
#include "os/nft_list.h"
#include "os/uplink_leases.h"
#include "service/gateway/gateway_record.h"
#include "service/gateway/marked_lookup.h"
#include "service/resolver/resolver.h"

namespace ginnel::gateway {
namespace {

using hostnet::LockPolicy;
using hostnet::LockState;

void log_failure(const Status& status) {
  if (!status) log::error("clean-up: {}", status.error().message);
}

}  // namespace

Result<GatewayHost> GatewayHost::open(const std::string& run_directory, const GatewayConfig& config,
                                      quick::Interruption& interruption) {
  auto applier = os::HostApplier::open(run_directory, gateway_owner(config),
                                       os::SysctlClaims::Former::PutBack);
  if (!applier) return pass(std::move(applier));
  const std::string& directory = applier->claims().directory();
  auto alone = os::FileLock::take(gateway_lock_path(directory));
  if (!alone) return pass(std::move(alone));
  log_failure(take_back_left(directory, applier->nft(), interruption));
  if (auto removed = os::remove_leftovers(applier->nft(), applier->claims()); !removed) {
    return pass(std::move(removed));
  }
  GatewayHost host(std::move(*applier), std::move(*alone), config, interruption, run_directory);
  const auto lock = killswitch::KillSwitch::open(host.places_);
  if (!lock) return std::unexpected(lock.error());
  host.former_ = lock->policy();
  if (Status written = write_record(host.claims(), {}); !written) return pass(std::move(written));
  return host;
}

std::vector<net::Endpoint> GatewayHost::name_servers() {
  hostnet::UplinkServers known = os::read_name_servers(applier_.claims().directory());
  for (const hostnet::Link& link : uplinks()) known.add(os::read_leases(link));
  std::vector<net::Endpoint> servers;
  for (const net::Address& server : known.dns) {
    const bool is_tunnels = std::ranges::any_of(config_->tunnels, [&](const GatewayTunnel& tunnel) {
      return std::ranges::find(tunnel.dns, server) != tunnel.dns.end();
    });
    // Where there is no way, an answer would only be waited for.
    if (is_tunnels || !applier_.rtnetlink().path_mtu(server, config_->mark.value)) continue;
    servers.push_back({.address = server, .port = resolver::kDnsPort});
    if (servers.size() == MarkedLookup::kMaxServers) break;
  }
  return servers;
}

std::vector<net::Address> GatewayHost::dhcp_servers() {
  hostnet::UplinkServers known;
  for (const hostnet::Link& link : uplinks()) known.add(os::read_leases(link));
  return known.dhcp;
}

// A drop in anybody's table is final, whatever ours accepts.
std::vector<Finding> GatewayHost::find_obstacles(const GatewayFacts& facts) {
  auto ruleset = os::read_ruleset(applier_.nft());
  const auto links = applier_.rtnetlink().read_links();
  if (!ruleset || !links) {
    const Error& error = ruleset ? links.error() : ruleset.error();
    return {{"firewall-unknown", "other firewalls cannot be read: " + error.message, ""}};
  }
  std::erase_if(ruleset->tables, [](const hostnet::nft::ListedTable& table) {
    return hostnet::Owner::from_mark(table.comment) == LockPolicy::owner();
  });
  const GatewayTunnel& active = config_->tunnels[facts.active];
  hostnet::TunnelTraffic traffic{.owner = gateway_owner(*config_),
                                 .forward4 = active.ipv4,
                                 .forward6 = active.ipv6,
                                 .uplink4 = active.interface,
                                 .uplink6 = active.interface,
                                 .answers_names = config_->resolver};
  for (const hostnet::Link& link : *links) {
    traffic.interface_indexes.emplace_back(link.name, link.index);
  }
  std::vector<Finding> findings;
  const auto add = [&](std::string_view where) {
    for (const hostnet::FirewallBlock& block : hostnet::find_blocks(*ruleset, traffic)) {
      Finding finding{block.certain ? "firewall-blocks" : "firewall-may-block",
                      fmt::format("{}{}: {}", name_of(block.flow), where, block.reason),
                      block.command};
      if (std::ranges::find(findings, finding) == findings.end()) findings.push_back(finding);
    }
  };
  for (const std::string& lan : config_->lan) {
    traffic.clients = lan;
    add(" (" + lan + ")");
  }
  // What remains is the tunnels' own.
  traffic.forward4 = traffic.forward6 = traffic.answers_names = false;
  for (const TunnelFacts& tunnel : facts.tunnels) {
    for (const net::Endpoint& endpoint : tunnel.endpoints) {
      traffic.listen4 = endpoint.address.is_v4();
      traffic.listen6 = !traffic.listen4;
      traffic.call_port = endpoint.port;
      add("");
    }
  }
  if (const auto unseen = os::unseen_firewall())
    findings.push_back({"firewall-unseen", *unseen, ""});
  return findings;
}

// Every interface that may lead outside.
std::vector<hostnet::Link> GatewayHost::uplinks() {
  const auto links = applier_.rtnetlink().read_links();
  if (!links) return {};
  std::vector<hostnet::Link> outside = *links;
  const std::vector<std::string> tunnels = config_->tunnel_names();
  std::erase_if(outside, [&](const hostnet::Link& link) {
    const auto is_among = [&](const std::vector<std::string>& names) {
      return std::ranges::find(names, link.name) != names.end();
    };
    return link.loopback || is_among(tunnels) || is_among(config_->lan);
  });
  return outside;
}

Result<os::FileLock> GatewayHost::begin_asking() {
  const auto lock = killswitch::KillSwitch::open(places_);
  if (!lock) return std::unexpected(lock.error());
  return os::FileLock::take(lock->files().asking_path());
}

Status GatewayHost::expect_confirmation(MonoTime deadline) {
  auto lock = killswitch::KillSwitch::open(places_);
  if (!lock) return pass(std::move(lock));
  awaits_confirmation_ = true;
  return lock->expect_confirmation(deadline);
}

Result<GatewayHost::Confirmation> GatewayHost::look_for_confirmation(MonoTime now) {
  auto lock = killswitch::KillSwitch::open(places_);
  if (!lock) return pass(std::move(lock));
  const auto deadline = lock->confirmation_deadline();
  if (!deadline) return std::unexpected(deadline.error());
  if (*deadline) {
    if (now < **deadline) return Confirmation::Awaited;
    if (Status reverted = lock->revert(); !reverted) return pass(std::move(reverted));
    return Confirmation::TakenBack;
  }
  // Somebody confirmed it, or the kill switch's watcher was first.
  if (!holds(*lock)) return Confirmation::TakenBack;
  awaits_confirmation_ = false;
  return Confirmation::Given;
}

bool GatewayHost::holds(const killswitch::KillSwitch& lock) const {
  return held_ && lock.policy().state != LockState::Off && lock.policy().holder == held_->holder;
}

Status GatewayHost::change_lock(const LockPolicy& policy) {
  if (held_ == policy) return ok();
  auto lock = killswitch::KillSwitch::open(places_);
  if (!lock) return pass(std::move(lock));
  if (awaits_confirmation_ && held_ && !holds(*lock)) {
    return fail(ErrorCode::TimedOut, "nobody confirmed the lock, so it was taken back");
  }
  if (!parked_) {
    if (Status parked = lock->park(policy); !parked) return parked;
  }
  if (Status changed = lock->change(policy); !changed) return changed;
  parked_ = true;
  held_ = policy;
  return ok();
}

Status GatewayHost::lock(const GatewayFacts& facts) {
  if (!config_->kill_switch) return ok();
  const auto state = read();
  if (!state) return std::unexpected(state.error());
  return change_lock(gateway_policy(*config_, *state, facts));
}

Status GatewayHost::apply(const GatewayFacts& facts) {
  const auto state = read();
  if (!state) return std::unexpected(state.error());
  const LockPolicy policy = gateway_policy(*config_, *state, facts);
  hostnet::WantedHost wanted = gateway_wishes(*config_, policy, facts);
  for (hostnet::WantedInterface& interface : wanted.network.interfaces) {
    std::vector<net::InterfaceAddress>& given = addresses_[interface.name];
    interface.former->addresses = std::exchange(given, interface.addresses);
  }
  // IPv6 also where no tunnel carries it: what is not forwarded at all is lost without a word, and
  // programs wait for it.
  const bool has_ipv6 = applier_.claims().tree().read(hostnet::kForwarding6).has_value();
  auto forwarding = os::forwarding_settings(
      applier_.claims(), {.ipv4 = true, .ipv6 = has_ipv6, .tunnel = policy.tunnels.front()},
      *state);
  if (!forwarding) return pass(std::move(forwarding));
  wanted.sysctls.insert(wanted.sysctls.end(), forwarding->settings.begin(),
                        forwarding->settings.end());
  if (!config_->kill_switch) {
    wanted.network.former_rules = rules_;
    rules_ = wanted.network.rules;
    if (Status applied = applier_.apply(wanted); !applied) return applied;
    return forget_connections(policy);
  }
  // Addresses first: the lock's route into a tunnel needs the tunnel to be up.
  if (Status applied = applier_.apply(wanted); !applied) return applied;
  return change_lock(policy);
}

// What is translated to the address of another tunnel would be dropped at the far end. A change of
// the lock forgets it by itself.
Status GatewayHost::forget_connections(const LockPolicy& policy) {
  const auto former = std::exchange(unlocked_, policy);
  if (!former || connections_live_on(*former, policy)) return ok();
  return os::forget_connections_without(policy.manage_mark.mask);
}

Status GatewayHost::tell_resolver(const GatewayTunnel& tunnel) {
  hostnet::WantedResolver wanted;
  for (const net::Address& server : tunnel.dns) wanted.servers.push_back(server.to_string());
  const quick::Resolver resolver(applier_.claims(), *interruption_);
  if (wanted.servers.empty()) return resolver.take_back(std::exchange(resolver_, {}));
  if (resolver_.name.empty()) {
    auto chosen = resolver.choose();
    if (!chosen) return pass(std::move(chosen));
    resolver_ = std::move(*chosen);
    resolver_.link = tunnel.interface;
    if (Status written = write_record(applier_.claims(), resolver_); !written) return written;
  }
  // systemd-resolved asks a link's servers by that link alone.
  const std::string former = std::exchange(resolver_.link, tunnel.interface);
  if (Status told = resolver.tell(resolver_, wanted); !told) return told;
  return resolver.leave_link(resolver_, former);
}

Status GatewayHost::remove_rules() {
  const auto state = read();
  if (!state) return std::unexpected(state.error());
  const auto operations = hostnet::plan(*state, {.former_rules = rules_});
  if (!operations) return std::unexpected(operations.error());
  for (const hostnet::Operation& operation : *operations) {
    if (Status removed = applier_.rtnetlink().apply(operation); !removed) return removed;
  }
  return ok();
}

void GatewayHost::lock_down(const GatewayFacts& facts) {
  if (!held_) return;
  GatewayFacts closed = facts;
  closed.state = LockState::Locked;
  log_failure(lock(closed));
}

void GatewayHost::give_lock_back() {
  if (!held_) return;
  auto lock = killswitch::KillSwitch::open(places_);
  log_failure(lock ? lock->change(former_) : pass(std::move(lock)));
  held_.reset();
}

void GatewayHost::take_back_rest() {
  log_failure(quick::Resolver(applier_.claims(), *interruption_).take_back(resolver_));
  log_failure(remove_rules());
  log_failure(applier_.remove_all());
  log_failure(remove_record(applier_.claims()));
}

}  // namespace ginnel::gateway

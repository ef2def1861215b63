#include "service/server/server.h"

#include <fmt/format.h>

#include "base/log.h"
#include "base/secret.h"
#include "core/hostnet/outbound_routing.h"
#include "core/server/client_rules.h"
#include "service/server/call_back.h"
#include "service/server/change_summary.h"
#include "service/server/client_files.h"

namespace ginnel::server {
namespace {

using config::ServerConfig;
using config::ServerPeer;

std::unexpected<Error> needs_restart(std::string_view setting) {
  return fail(
      ErrorCode::Conflict,
      fmt::format("{} changes with a restart of the server only; nothing was changed", setting));
}

bool same_key(const crypto::PrivateKey& a, const crypto::PrivateKey& b) {
  return equal_in_constant_time(a.expose(), b.expose());
}

// In one family at least.
bool has_way_out(const hostnet::HostState& host, const Uplinks& uplinks) {
  const auto leads_out = [&](net::Family family) {
    const std::string& interface = uplinks.of(family);
    const hostnet::Link* link = host.find_link(interface);
    return link != nullptr && link->running &&
           hostnet::find_default_via(host, family, interface) != nullptr;
  };
  return leads_out(net::Family::V4) || leads_out(net::Family::V6);
}

}  // namespace

Server::Server(Parts parts, TrafficBook traffic)
    : device_(parts.device),
      host_(parts.host),
      clock_(parts.clock),
      rng_(parts.rng),
      source_(std::move(parts.source)),
      process_(parts.process),
      started_(clock_.now()),
      config_(std::move(parts.config)),
      key_(std::move(parts.key)),
      public_key_(key_.key.public_key()),
      traffic_(std::move(traffic)) {}

Result<std::unique_ptr<Server>> Server::start(Parts parts) {
  auto traffic = TrafficBook::open(parts.database);
  if (!traffic) return pass(std::move(traffic));
  std::unique_ptr<Server> server(new Server(std::move(parts), std::move(*traffic)));
  MutexLock lock(server->mutex_);
  if (Status up = server->bring_up(); !up) return pass(std::move(up));
  return server;
}

Server::~Server() {
  record_traffic();
  save_traffic();
  host_.undo();
}

Status Server::bring_up() {
  if (Status good = config::check_own_key(config_, public_key_); !good) return good;
  auto host = host_.read();
  if (!host) return pass(std::move(host));
  if (Status free = check_subnets_are_free(config_.subnets, *host, device_.interface_name());
      !free) {
    return free;
  }
  const ServerConfig nobody;
  if (Status changed = change(nobody, config_, &key_, *host); !changed) return changed;
  names_.follow(clock_.now().mono, config_.peers);
  look_at_host(std::move(*host));
  call_back_peers({});
  return ok();
}

Result<ChangeView> Server::remove_peer(std::string_view name) {
  MutexLock lock(mutex_);
  return edit_files([&](const PeerEdits& edits) { return edits.remove(name); });
}

Result<ChangeView> Server::set_peer_enabled(std::string_view name, bool enabled) {
  MutexLock lock(mutex_);
  return edit_files([&](const PeerEdits& edits) { return edits.set_enabled(name, enabled); });
}

Result<ChangeView> Server::set_peer_rules(std::string_view name, const RuleChange& change) {
  MutexLock lock(mutex_);
  return edit_files([&](const PeerEdits& edits) { return edits.set_rules(name, change); });
}

Result<ChangeView> Server::forget_peer_key(std::string_view name) {
  MutexLock lock(mutex_);
  return edit_files([&](const PeerEdits& edits) { return edits.forget_key(name); });
}

Result<PeerView> Server::add_peer(NewPeer peer) {
  MutexLock lock(mutex_);
  const std::string name = peer.name;
  auto added = edit_files(
      [&](const PeerEdits& edits) { return edits.add(std::move(peer), rng_, clock_.now().unix); });
  if (!added) return pass(std::move(added));
  return view_of(*config_.find_peer(name), nullptr);
}

Result<ChangeView> Server::reload() {
  MutexLock lock(mutex_);
  auto next = load_server_config(source_);
  if (!next) return pass(std::move(next));
  return adopt(std::move(*next));
}

Result<ChangeView> Server::edit_files(
    const std::function<Result<FileEdit>(const PeerEdits& edits)>& make_edit) {
  auto current = load_server_config(source_);
  if (!current) return pass(std::move(current));
  auto edit = make_edit(PeerEdits(source_.paths, *current));
  if (!edit) return pass(std::move(edit));
  auto next = load_server_config(source_, &*edit);
  if (!next) return pass(std::move(next));
  if (Status written = apply(*edit); !written) return pass(std::move(written));
  auto adopted = adopt(std::move(*next));
  if (adopted) return adopted;
  if (Status undone = undo(*edit); !undone) {
    log::error("a refused change could not be taken out of its file again: {}",
               undone.error().message);
  }
  return adopted;
}

Result<ChangeView> Server::adopt(ServerConfig next) {
  auto key = read_key_again(next);
  if (!key) return pass(std::move(key));
  if (Status good = config::check_own_key(next, key->key.public_key()); !good) {
    return pass(std::move(good));
  }
  if (Status good = check_adoptable(next); !good) return pass(std::move(good));
  auto host = host_.read();
  if (!host) return pass(std::move(host));
  const std::string& own = device_.interface_name();
  if (Status free = check_subnets_are_free(next.subnets, *host, own); !free) {
    return pass(std::move(free));
  }
  // Peers that go take their counters with them.
  static_cast<void>(observe());
  const bool is_new_key = !same_key(key->key, key_.key);
  if (Status changed = change(config_, next, is_new_key ? &*key : nullptr, *host); !changed) {
    static_cast<void>(change(next, config_, is_new_key ? &key_ : nullptr, *host));
    return pass(std::move(changed));
  }
  ChangeView view = summarize(config_, next);
  if (is_new_key) view.settings.emplace_back("private_key");
  std::swap(config_, next);
  for (const ServerPeer& peer : next.peers) {
    const auto is_it = [&](const ServerPeer& p) { return p.public_key == peer.public_key; };
    if (std::ranges::none_of(config_.peers, is_it)) traffic_.forget(peer.public_key);
  }
  key_ = std::move(*key);
  public_key_ = key_.key.public_key();
  names_.follow(clock_.now().mono, config_.peers);
  look_at_host(std::move(*host));
  call_back_peers(next.peers);
  for (const Finding& finding : findings_) view.warnings.push_back(finding.message);
  return view;
}

Result<ServerKey> Server::read_key_again(const ServerConfig& next) {
  auto key = load_server_key(source_.paths, next, rng_);
  if (!key || !key->is_new) return key;
  return fail(ErrorCode::NotFound,
              fmt::format("private key file {} is gone; put it back, or restart the server to have "
                          "a new key made",
                          key->file));
}

Status Server::check_adoptable(const ServerConfig& next) const {
  if (next.interface && *next.interface != device_.interface_name()) {
    return needs_restart("interface");
  }
  if (next.listen.address != config_.listen.address) return needs_restart("listen_addr's address");
  if (next.metrics_listen != config_.metrics_listen) return needs_restart("metrics_listen");
  return ok();
}

Status Server::change(const ServerConfig& before, const ServerConfig& after,
                      const ServerKey* new_key, const hostnet::HostState& host) {
  wg::DeviceChange change;
  change.peers = config::changed_peers(before.peers, after.peers);
  if (new_key != nullptr) {
    change.private_key = new_key->key.duplicate();
    change.listen_port = after.listen.port;
  } else if (before.listen.port != after.listen.port) {
    change.listen_port = after.listen.port;
  }
  fill_in_endpoints(after, change);
  // Who goes, goes before the rules for him; who comes or changes, comes after them.
  wg::DeviceChange arrivals;
  const auto arriving = std::ranges::find(change.peers, false, &wg::PeerChange::remove);
  std::move(arriving, change.peers.end(), std::back_inserter(arrivals.peers));
  change.peers.erase(arriving, change.peers.end());
  if (Status changed = device_.configure(std::move(change)); !changed) return changed;
  if (Status applied = host_.apply(host_wishes(after, host)); !applied) return applied;
  return arrivals.peers.empty() ? ok() : device_.configure(std::move(arrivals));
}

void Server::call_back_peers(const std::vector<ServerPeer>& before) {
  wg::DeviceChange calls;
  calls.peers = call_back(before, config_.peers, traffic_, clock_.now().unix);
  if (calls.peers.empty()) return;
  if (Status called = device_.configure(std::move(calls)); !called) {
    log::debug("clients were not called back: {}", called.error().message);
  }
}

HostWishes Server::host_wishes(const ServerConfig& config, const hostnet::HostState& host) const {
  const Uplinks uplinks = choose_uplinks(config, host, device_.interface_name());
  HostWishes wanted;
  wanted.network = {.interface = device_.interface_name(),
                    .addresses = {{config.own.v4, config.subnets.v4.length()}},
                    .mtu = config.mtu,
                    .subnet4 = config.subnets.v4,
                    .subnet6 = config.subnets.v6,
                    .routed = peer_routes(config, host, device_.interface_name(), places_).routed,
                    .uplink4 = uplinks.v4,
                    .uplink6 = uplinks.v6,
                    .listen_port = config.listen.port,
                    .listen_address = config.listen.address,
                    .client_to_client = config.client_to_client,
                    .firewall = client_firewall(config),
                    .admitted = config.admit,
                    .only_uplink = config.outbound_interface.has_value()};
  if (config.own.v6) {
    wanted.network.addresses.push_back({*config.own.v6, config.subnets.v6->length()});
  }
  wanted.open_firewall = config.open_firewall;
  wanted.answers_names = config.dns_builtin;
  return wanted;
}

void Server::follow_host() {
  MutexLock lock(mutex_);
  follow();
}

void Server::follow() {
  auto host = host_.read();
  if (!host) {
    log::warn("the host's networking cannot be read: {}", host.error().message);
    return;
  }
  if (Status applied = host_.apply(host_wishes(config_, *host)); !applied) {
    log::error("the host's networking could not be followed: {}", applied.error().message);
    return;
  }
  const hostnet::Link* own = host->find_link(device_.interface_name());
  const bool was_down = own != nullptr && !own->up;
  look_at_host(std::move(*host));
  // A device forgets its sessions when somebody takes it down.
  if (was_down) {
    static_cast<void>(observe());  // Where clients were last.
    call_back_peers({});
  }
}

void Server::look_at_host(hostnet::HostState state) {
  const Uplinks uplinks = choose_uplinks(config_, state, device_.interface_name());
  if (uplinks != uplinks_) {
    log::info("uplink ipv4={} ipv6={}", uplinks.v4.empty() ? "none" : uplinks.v4,
              uplinks.v6.empty() ? "none" : uplinks.v6);
    names_.retry_failed(clock_.now().mono);
  }
  host_state_ = std::move(state);
  uplinks_ = uplinks;
  find_out();
}

void Server::find_out() {
  std::vector<Finding> findings;
  if (!has_way_out(host_state_, uplinks_)) {
    findings.push_back(
        {"no-uplink",
         config_.outbound_interface
             ? fmt::format("outbound interface {} is not there, down, or has no default route: "
                           "clients reach nothing outside",
                           *config_.outbound_interface)
             : "this host has no default route: clients reach nothing outside",
         "connect the host; the server follows by itself"});
  }
  const std::string& own = device_.interface_name();
  const auto endpoint = choose_endpoint(config_, host_state_, own);
  if (!endpoint) {
    findings.push_back({"no-endpoint", endpoint.error().message, "--endpoint HOST"});
  } else if (!endpoint->warning.empty()) {
    findings.push_back({"private-endpoint", endpoint->warning, "--endpoint HOST"});
  }
  append_name_findings(findings);
  for (std::string& refused : peer_routes(config_, host_state_, own, places_).refused) {
    findings.push_back({"route-taken", std::move(refused), ""});
  }
  for (Finding& finding : host_.find_obstacles(host_wishes(config_, host_state_))) {
    findings.push_back(std::move(finding));
  }
  for (const Finding& finding : findings) {
    if (std::ranges::find(findings_, finding) != findings_.end()) continue;
    log::warn("{}{}{}", finding.message, finding.fix.empty() ? "" : "; fix: ", finding.fix);
  }
  findings_ = std::move(findings);
}

void Server::record_traffic() {
  MutexLock lock(mutex_);
  // One that roams into a network of its own would not be reached any more.
  const auto before = own_places(config_, places_);
  places_ = peer_places(observe());
  if (own_places(config_, places_) != before) follow();
}

Duration Server::traffic_interval() {
  MutexLock lock(mutex_);
  return TrafficBook::interval(config_.peers.size());
}

void Server::save_traffic() {
  MutexLock lock(mutex_);
  if (Status saved = traffic_.save(); !saved) {
    log::warn("traffic totals could not be saved: {}", saved.error().message);
  }
}

}  // namespace ginnel::server

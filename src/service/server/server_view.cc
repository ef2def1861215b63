// What Server tells about itself.
#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

#include "base/log.h"
#include "base/version.h"
#include "service/server/client_files.h"
#include "service/server/peer_views.h"
#include "service/server/server.h"

namespace ginnel::server {
namespace {

constexpr std::string_view kBlockedCode = "firewall-blocks-overlay";
constexpr std::string_view kDropCounters = "drop_";
constexpr std::string_view kNoUplinkCode = "no-uplink";

http::Nullable<std::string> name_or_null(const std::string& name) {
  return name.empty() ? http::Nullable<std::string>() : http::Nullable<std::string>(name);
}

ServerState state_with(const std::vector<Finding>& findings) {
  const auto has = [&](std::string_view code) {
    return std::ranges::any_of(findings, [&](const Finding& f) { return f.code == code; });
  };
  if (has(kNoUplinkCode)) return ServerState::NoUplink;
  return has(kBlockedCode) ? ServerState::Blocked : ServerState::Online;
}

std::unordered_map<crypto::PublicKey, const wg::PeerStatus*> by_key(
    const wg::DeviceStatus& status) {
  std::unordered_map<crypto::PublicKey, const wg::PeerStatus*> peers;
  for (const wg::PeerStatus& peer : status.peers) peers.emplace(peer.public_key, &peer);
  return peers;
}

}  // namespace

// A device that does not answer has nothing to tell; it ends the server another way.
wg::DeviceStatus Server::observe() {
  auto status = device_.observe();
  if (!status) {
    log::debug("{} does not answer: {}", device_.interface_name(), status.error().message);
    return {};
  }
  traffic_.record(clock_.now().mono, *status);
  metrics_.record(*status);
  return std::move(*status);
}

ServerView Server::view() {
  MutexLock lock(mutex_);
  const Now now = clock_.now();
  const wg::DeviceStatus status = observe();
  ServerView view;
  view.state = state_with(findings_);
  view.findings = findings_;
  view.process = process_;
  view.interface = device_.interface_name();
  view.public_key = public_key_;
  view.listen_address = config_.listen.address;
  view.listen_port = status.listen_port;
  const auto endpoint = choose_endpoint(config_, host_state_, view.interface);
  if (endpoint) view.endpoint = endpoint->endpoint.to_string(config_.listen.port);
  view.subnets.push_back(config_.subnets.v4);
  view.addresses.push_back(config_.own.v4);
  if (config_.subnets.v6) view.subnets.push_back(*config_.subnets.v6);
  if (config_.own.v6) view.addresses.push_back(*config_.own.v6);
  view.mtu = config_.mtu;
  view.uplink_ipv4 = name_or_null(uplinks_.v4);
  view.uplink_ipv6 = name_or_null(uplinks_.v6);
  view.client_to_client = config_.client_to_client;
  view.started = started_.unix;
  view.uptime = now.mono - started_.mono;
  view.peers = config_.peers.size();
  for (const config::ServerPeer& peer : config_.peers) {
    view.peers_enabled += peer.enabled;
    const storage::Traffic total = traffic_.of(peer.public_key).total;
    view.rx_bytes += total.rx_bytes;
    view.tx_bytes += total.tx_bytes;
  }
  for (const wg::PeerStatus& peer : status.peers) {
    view.peers_active += state_of(peer, now.unix) == PeerState::Direct;
  }
  view.rx_bytes_per_second = traffic_.total_rate().rx_bytes_per_second;
  view.tx_bytes_per_second = traffic_.total_rate().tx_bytes_per_second;
  for (const wg::NamedCounter& counter : status.counters) {
    if (!counter.name.starts_with(kDropCounters)) continue;
    view.drops[counter.name.substr(kDropCounters.size())] = counter.value;
  }
  return view;
}

std::vector<PeerView> Server::peers() {
  MutexLock lock(mutex_);
  const wg::DeviceStatus status = observe();
  const auto known = by_key(status);
  std::vector<PeerView> views;
  for (const config::ServerPeer& peer : config_.peers) {
    const auto found = known.find(peer.public_key);
    views.push_back(view_of(peer, found == known.end() ? nullptr : found->second));
  }
  return views;
}

Result<PeerView> Server::peer(std::string_view name) {
  for (PeerView& view : peers()) {
    if (view.name == name) return std::move(view);
  }
  return no_such_peer(name);
}

std::string Server::name_of(const crypto::PublicKey& peer) {
  MutexLock lock(mutex_);
  const auto found = std::ranges::find(config_.peers, peer, &config::ServerPeer::public_key);
  return found == config_.peers.end() ? "" : found->name;
}

std::string Server::metrics_text(bool with_peers) {
  MutexLock lock(mutex_);
  const wg::DeviceStatus status = observe();
  const UnixTime now = clock_.now().unix;
  MetricsSnapshot snapshot{.version = std::string(kProgramVersion), .started = started_.unix};
  metrics_.fill(snapshot);
  snapshot.dns_events = host_.name_counts();
  // A series that comes and goes cannot be told from one that is not collected.
  for (const PeerState state : kPeerStates) snapshot.peers[std::string(server::name_of(state))] = 0;
  for (const wg::PeerStatus& peer : status.peers) {
    ++snapshot.peers[std::string(server::name_of(state_of(peer, now)))];
  }
  for (const Finding& finding : findings_) ++snapshot.health_messages[finding.code];
  if (!with_peers) return to_metrics_text(snapshot);
  for (const config::ServerPeer& peer : config_.peers) {
    const storage::Traffic total = traffic_.of(peer.public_key).total;
    PeerMetrics metrics{.name = peer.name,
                        .public_key = peer.public_key,
                        .inbound_bytes = total.rx_bytes,
                        .outbound_bytes = total.tx_bytes};
    if (total.last_handshake != UnixTime{}) metrics.last_handshake = total.last_handshake;
    snapshot.peers_by_name.push_back(std::move(metrics));
  }
  return to_metrics_text(snapshot);
}

Result<std::string> Server::client_file(std::string_view name) {
  MutexLock lock(mutex_);
  const config::ServerPeer* peer = config_.find_peer(name);
  if (peer == nullptr) return no_such_peer(name);
  return make_client_file(config_, *peer, public_key_, host_state_, device_.interface_name());
}

PeerView Server::view_of(const config::ServerPeer& peer, const wg::PeerStatus* status) const {
  PeerView view = describe_peer(peer);
  const PeerTraffic traffic = traffic_.of(peer.public_key);
  add_traffic(traffic.total, view);
  view.rx_bytes_per_second = traffic.rate.rx_bytes_per_second;
  view.tx_bytes_per_second = traffic.rate.tx_bytes_per_second;
  if (status != nullptr) view.endpoint = status->endpoint;
  return view;
}

}  // namespace ginnel::server

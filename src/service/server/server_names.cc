// How a Server calls peers whose endpoints are names of hosts.
#include <fmt/format.h>

#include <unordered_map>

#include "base/log.h"
#include "service/server/server.h"

namespace ginnel::server {
namespace {

// What a person reads; the rest are counted.
constexpr std::size_t kMaxNameFindings = 8;

bool is_called_by(const config::ServerPeer& peer, std::string_view name) {
  return peer.enabled && peer.endpoint && peer.endpoint->host == name;
}

}  // namespace

std::vector<std::string> Server::take_due_lookups() {
  MutexLock lock(mutex_);
  return names_.take_due(clock_.now().mono);
}

MonoTime Server::next_lookup() {
  MutexLock lock(mutex_);
  return names_.next_timeout();
}

void Server::handle_lookup(const std::string& name, Result<std::vector<net::Address>> answer) {
  MutexLock lock(mutex_);
  const Now now = clock_.now();
  const auto failures = names_.failures();
  names_.handle_answer(now.mono, name, std::move(answer));
  const wg::DeviceStatus status = observe();
  std::unordered_map<crypto::PublicKey, const wg::PeerStatus*> known;
  for (const wg::PeerStatus& peer : status.peers) known.emplace(peer.public_key, &peer);
  wg::DeviceChange change;
  for (const config::ServerPeer& peer : config_.peers) {
    if (!is_called_by(peer, name)) continue;
    const auto found = known.find(peer.public_key);
    if (found == known.end()) continue;
    const auto endpoint =
        next_endpoint(names_.addresses_of(name), *peer.endpoint->port, found->second->endpoint,
                      state_of(*found->second, now.unix) == PeerState::Direct);
    if (!endpoint) continue;
    log::debug("peer={} endpoint={}", peer.name, endpoint->to_string());
    wg::PeerChange call;
    call.public_key = peer.public_key;
    call.endpoint = endpoint;
    call.persistent_keepalive_seconds = peer.persistent_keepalive_seconds;
    call.update_only = true;
    change.peers.push_back(std::move(call));
  }
  if (!change.peers.empty()) {
    if (Status called = device_.configure(std::move(change)); !called) {
      log::warn("the endpoint of a peer could not be set: {}", called.error().message);
    }
  }
  if (names_.failures() != failures) find_out();
}

void Server::fill_in_endpoints(const config::ServerConfig& config, wg::DeviceChange& change) const {
  std::unordered_map<crypto::PublicKey, const config::ServerPeer*> named;
  for (const config::ServerPeer& peer : config.peers) {
    if (peer.enabled && peer.endpoint) named.emplace(peer.public_key, &peer);
  }
  for (wg::PeerChange& peer : change.peers) {
    const auto found = named.find(peer.public_key);
    if (peer.remove || peer.endpoint || found == named.end()) continue;
    const config::HostPort& endpoint = *found->second->endpoint;
    const auto addresses = names_.addresses_of(endpoint.host);
    if (addresses.empty()) continue;
    peer.endpoint = net::Endpoint{addresses.front(), *endpoint.port, 0};
    peer.persistent_keepalive_seconds = found->second->persistent_keepalive_seconds;
  }
}

void Server::append_name_findings(std::vector<Finding>& findings) const {
  const auto failures = names_.failures();
  for (const EndpointNames::Failure& failure : failures) {
    if (&failure == failures.data() + kMaxNameFindings) {
      findings.push_back({"endpoint-unknown",
                          fmt::format("{} more names of peers' endpoints cannot be looked up",
                                      failures.size() - kMaxNameFindings),
                          ""});
      return;
    }
    findings.push_back(
        {"endpoint-unknown",
         fmt::format("peers at {} cannot be called: {}", failure.name, failure.reason),
         "correct their endpoint or this host's resolver; the server tries again by itself"});
  }
}

}  // namespace ginnel::server

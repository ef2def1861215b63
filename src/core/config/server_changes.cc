#include <algorithm>
#include <unordered_map>

#include "base/secret.h"
#include "core/config/server_config.h"

namespace ginnel::config {
namespace {

std::optional<net::Endpoint> literal_endpoint(const ServerPeer& peer) {
  if (!peer.endpoint) return std::nullopt;
  const auto address = peer.endpoint->address();
  if (!address) return std::nullopt;
  return net::Endpoint{*address, *peer.endpoint->port, 0};
}

bool same_preshared_key(const ServerPeer& a, const ServerPeer& b) {
  const crypto::PresharedKey none;
  return equal_in_constant_time((a.preshared_key ? *a.preshared_key : none).expose(),
                                (b.preshared_key ? *b.preshared_key : none).expose());
}

bool same_prefixes(std::vector<net::Prefix> a, std::vector<net::Prefix> b) {
  std::sort(a.begin(), a.end());
  std::sort(b.begin(), b.end());
  return a == b;
}

// Whether the device is to treat them alike. Names and what only the client's file says do not
// matter to it.
bool same_on_device(const ServerPeer& a, const ServerPeer& b) {
  return same_preshared_key(a, b) && a.endpoint == b.endpoint &&
         (!a.endpoint || a.persistent_keepalive_seconds == b.persistent_keepalive_seconds) &&
         same_prefixes(a.allowed_ips, b.allowed_ips);
}

}  // namespace

wg::PeerChange to_peer_change(const ServerPeer& peer, std::optional<net::Endpoint> endpoint) {
  wg::PeerChange change;
  change.public_key = peer.public_key;
  if (!peer.enabled) {
    change.remove = true;
    return change;
  }
  change.preshared_key =
      peer.preshared_key ? peer.preshared_key->duplicate() : crypto::PresharedKey();
  change.endpoint = endpoint;
  // Nobody to greet before the name is looked up.
  change.persistent_keepalive_seconds = endpoint ? peer.persistent_keepalive_seconds : 0;
  change.replace_allowed_ips = true;
  for (const net::Prefix& prefix : peer.allowed_ips) {
    change.allowed_ips.push_back({prefix, false});
  }
  return change;
}

std::vector<wg::PeerChange> changed_peers(const std::vector<ServerPeer>& before,
                                          const std::vector<ServerPeer>& after) {
  std::unordered_map<crypto::PublicKey, const ServerPeer*> old_peers, new_peers;
  for (const ServerPeer& peer : before) {
    if (peer.enabled) old_peers.emplace(peer.public_key, &peer);
  }
  for (const ServerPeer& peer : after) {
    if (peer.enabled) new_peers.emplace(peer.public_key, &peer);
  }
  std::vector<wg::PeerChange> changes;
  // Removals come first, so that an address that moves is free when its new owner takes it.
  for (const ServerPeer& peer : before) {
    if (!peer.enabled || new_peers.contains(peer.public_key)) continue;
    wg::PeerChange removal;
    removal.public_key = peer.public_key;
    removal.remove = true;
    changes.push_back(std::move(removal));
  }
  for (const ServerPeer& peer : after) {
    if (!peer.enabled) continue;
    const auto old_peer = old_peers.find(peer.public_key);
    if (old_peer != old_peers.end() && same_on_device(*old_peer->second, peer)) continue;
    changes.push_back(to_peer_change(peer, literal_endpoint(peer)));
  }
  return changes;
}

}  // namespace ginnel::config

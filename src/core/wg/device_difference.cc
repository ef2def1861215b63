#include "core/wg/device_difference.h"

#include <algorithm>
#include <map>
#include <set>

namespace ginnel::wg {
namespace {

using crypto::PublicKey;

template <class Key>
bool is_same(const std::optional<Key>& a, const std::optional<Key>& b) {
  const Key none;
  return equal_in_constant_time((a ? *a : none).expose(), (b ? *b : none).expose());
}

bool is_same(const PeerStatus& a, const PeerStatus& b) {
  if (!is_same(a.preshared_key, b.preshared_key) || a.endpoint != b.endpoint) return false;
  if (a.persistent_keepalive_seconds != b.persistent_keepalive_seconds) return false;
  return std::set(a.allowed_ips.begin(), a.allowed_ips.end()) ==
         std::set(b.allowed_ips.begin(), b.allowed_ips.end());
}

PeerChange whole(const PeerStatus& peer) {
  PeerChange change;
  change.public_key = peer.public_key;
  change.preshared_key =
      peer.preshared_key ? peer.preshared_key->duplicate() : crypto::PresharedKey();
  change.endpoint = peer.endpoint;
  change.persistent_keepalive_seconds = peer.persistent_keepalive_seconds;
  change.replace_allowed_ips = true;
  for (const net::Prefix& prefix : peer.allowed_ips) change.allowed_ips.push_back({prefix});
  return change;
}

// Whose each prefix is, as the entries of a change are carried out one after the other.
class Owners {
 public:
  explicit Owners(const DeviceStatus& now) {
    for (const PeerStatus& peer : now.peers) {
      for (const net::Prefix& prefix : peer.allowed_ips) give(prefix, peer.public_key);
    }
  }

  void clear() {
    owner_.clear();
    prefixes_.clear();
  }
  void drop(const PublicKey& peer) {
    for (const net::Prefix& prefix : prefixes_[peer]) owner_.erase(prefix);
    prefixes_.erase(peer);
  }
  void carry_out(const PeerChange& peer) {
    if (peer.replace_allowed_ips) drop(peer.public_key);
    for (const AllowedIpChange& allowed : peer.allowed_ips) {
      if (allowed.remove) {
        take(allowed.prefix, peer.public_key);
      } else {
        give(allowed.prefix, peer.public_key);
      }
    }
  }
  const std::set<net::Prefix>& of(const PublicKey& peer) { return prefixes_[peer]; }

 private:
  void give(const net::Prefix& prefix, const PublicKey& peer) {
    const auto former = owner_.find(prefix);
    if (former != owner_.end()) prefixes_[former->second].erase(prefix);
    owner_[prefix] = peer;
    prefixes_[peer].insert(prefix);
  }
  void take(const net::Prefix& prefix, const PublicKey& peer) {
    const auto former = owner_.find(prefix);
    if (former == owner_.end() || former->second != peer) return;
    owner_.erase(former);
    prefixes_[peer].erase(prefix);
  }

  std::map<net::Prefix, PublicKey> owner_;
  std::map<PublicKey, std::set<net::Prefix>> prefixes_;
};

bool is_removal(const AllowedIpChange& allowed) { return allowed.remove; }
bool removes(const PeerChange& peer) { return std::ranges::any_of(peer.allowed_ips, &is_removal); }

}  // namespace

DeviceChange difference(const DeviceStatus& now, const DeviceStatus& wanted) {
  DeviceChange change;
  if (!is_same(now.private_key, wanted.private_key)) {
    change.private_key =
        wanted.private_key ? wanted.private_key->duplicate() : crypto::PrivateKey();
  }
  if (now.listen_port != wanted.listen_port) change.listen_port = wanted.listen_port;
  if (now.fwmark != wanted.fwmark) change.fwmark = wanted.fwmark;
  std::map<PublicKey, const PeerStatus*> present;
  for (const PeerStatus& peer : now.peers) present[peer.public_key] = &peer;
  for (const PeerStatus& peer : wanted.peers) {
    const auto found = present.find(peer.public_key);
    const bool is_new = found == present.end();
    if (is_new || !is_same(*found->second, peer)) change.peers.push_back(whole(peer));
    if (!is_new) present.erase(found);
  }
  for (const auto& [key, peer] : present) {
    PeerChange& removal = change.peers.emplace_back();
    removal.public_key = key;
    removal.remove = true;
  }
  return change;
}

void replace_removals(DeviceChange& change, const DeviceStatus& now) {
  if (std::ranges::none_of(change.peers, &removes)) return;
  Owners owners(now);
  std::set<PublicKey> peers;
  for (const PeerStatus& peer : now.peers) peers.insert(peer.public_key);
  if (change.replace_peers) {
    owners.clear();
    peers.clear();
  }
  std::vector<PeerChange> peers_after;
  for (PeerChange& former : change.peers) {
    PeerChange& peer = peers_after.emplace_back(std::move(former));
    if (peer.remove) {
      owners.drop(peer.public_key);
      peers.erase(peer.public_key);
      continue;
    }
    const bool is_skipped = peer.update_only && !peers.contains(peer.public_key);
    const bool loses = removes(peer);
    if (!is_skipped) {
      peers.insert(peer.public_key);
      owners.carry_out(peer);
    }
    // What is added comes from other peers, even if this one does not keep it.
    std::erase_if(peer.allowed_ips, &is_removal);
    if (is_skipped || !loses) continue;
    PeerChange rest;
    rest.public_key = peer.public_key;
    rest.replace_allowed_ips = true;
    for (const net::Prefix& prefix : owners.of(rest.public_key)) {
      rest.allowed_ips.push_back({prefix});
    }
    peers_after.push_back(std::move(rest));
  }
  change.peers = std::move(peers_after);
}

}  // namespace ginnel::wg

// The part of the engine that changes and shows its configuration.
#include "core/wg/engine.h"

#include <fmt/format.h>

namespace ginnel::wg {

Status Engine::check(const DeviceChange& change) const {
  std::size_t peers = change.replace_peers ? 0 : peers_.size();
  std::size_t v4 = change.replace_peers ? 0 : tables_.allowed_ips.size(net::Family::V4);
  std::size_t v6 = change.replace_peers ? 0 : tables_.allowed_ips.size(net::Family::V6);
  for (const PeerChange& peer : change.peers) {
    if (peer.remove) continue;
    const bool known = !change.replace_peers && peers_.slot_of(peer.public_key) != kNoPeer;
    if (!known && !peer.update_only) ++peers;
    for (const AllowedIpChange& ip : peer.allowed_ips) {
      if (ip.remove) continue;
      const bool held = !change.replace_peers && tables_.allowed_ips.owner(ip.prefix) != kNoPeer;
      if (!held) ++(ip.prefix.family() == net::Family::V4 ? v4 : v6);
    }
  }
  if (peers > kMaxPeers) {
    return fail(ErrorCode::Exhausted,
                fmt::format("{} peers are more than the {} that one interface can hold; remove "
                            "peers or use another interface",
                            peers, kMaxPeers));
  }
  if (std::max(v4, v6) > AllowedIps::kMaxEntries) {
    return fail(ErrorCode::Exhausted,
                fmt::format("{} allowed IPs are more than the {} per family that one interface can "
                            "hold; merge prefixes or use another interface",
                            std::max(v4, v6), AllowedIps::kMaxEntries));
  }
  return ok();
}

void Engine::apply(const Now& now, DeviceChange change, ControlOutbox& out) {
  if (change.private_key) set_private_key(now, std::move(*change.private_key), out);
  if (change.replace_peers) {
    std::vector<PeerSlot> all;
    peers_.for_each([&](PeerSlot slot, Peer&) { all.push_back(slot); });
    for (const PeerSlot slot : all) remove_peer(slot, out);
    tables_.epochs.collect();
  }
  if (change.peers.size() > 1) peers_.reserve(peers_.size() + change.peers.size());
  for (PeerChange& peer : change.peers) apply_peer(now, std::move(peer), out);
  tables_.epochs.collect();
}

// Every session and everything derived from the old key goes; the same key again changes nothing.
void Engine::set_private_key(const Now& now, crypto::PrivateKey key, ControlOutbox& out) {
  if (identity_ && equal_in_constant_time(identity_->private_key().expose(), key.expose())) return;
  identity_.reset();
  if (!key.is_zero()) identity_.emplace(std::move(key));
  if (identity_) {
    const PeerSlot self = peers_.slot_of(identity_->public_key());
    if (self != kNoPeer) remove_peer(self, out);
  }
  peers_.for_each([&](PeerSlot slot, Peer& peer) {
    peer.static_static.reset();
    if (!peer.activity) return;
    const bool was_asking = peer.activity->timers.handshake_running();
    forget_handshakes(*peer.activity);
    // Whom we were asking is asked again at once; without a key, nothing waits.
    if (was_asking || !identity_) initiate(now, slot, peer, out);
    rearm(now, slot, peer);
  });
}

void Engine::apply_peer(const Now& now, PeerChange change, ControlOutbox& out) {
  if (identity_ && change.public_key == identity_->public_key()) return;
  PeerSlot slot = peers_.slot_of(change.public_key);
  if (change.remove) {
    if (slot != kNoPeer) remove_peer(slot, out);
    return;
  }
  if (slot == kNoPeer) {
    if (change.update_only) return;
    slot = peers_.add(change.public_key);
  }
  Peer& peer = *peers_.find(slot);
  if (change.preshared_key) {
    peer.preshared_key.reset();
    if (!change.preshared_key->is_zero()) {
      peer.preshared_key = std::make_unique<crypto::PresharedKey>(std::move(*change.preshared_key));
    }
  }
  if (change.endpoint && (!peer.endpoint || peer.endpoint->remote != *change.endpoint)) {
    if (peer.activity && peer.endpoint) {
      peer.activity->left_endpoint = peer.endpoint->remote;
      peer.activity->left_until = now.mono + kEndpointSettlingTime;
    }
    set_endpoint(peer, {.remote = *change.endpoint, .local = {}, .interface = 0});
  }
  apply_allowed_ips(slot, change);
  if (change.persistent_keepalive_seconds) {
    const std::uint16_t before =
        std::exchange(peer.persistent_keepalive_seconds, *change.persistent_keepalive_seconds);
    if (peer.persistent_keepalive_seconds != 0 || peer.activity) {
      activate(slot, peer)
          .timers.set_persistent_keepalive(std::chrono::seconds(peer.persistent_keepalive_seconds),
                                           now.mono);
    }
    const bool turned_on = before == 0 && peer.persistent_keepalive_seconds != 0;
    if (turned_on && !send_keepalive(now, slot, peer, out)) initiate(now, slot, peer, out);
  }
  if (change.greet) initiate(now, slot, peer, out);
  rearm(now, slot, peer);
}

// Prefixes that stay are not touched: taking them out for a moment would send packets of live
// connections to whoever holds the next shorter prefix.
void Engine::apply_allowed_ips(PeerSlot slot, const PeerChange& change) {
  if (change.replace_allowed_ips) {
    std::vector<net::Prefix> wanted;
    for (const AllowedIpChange& ip : change.allowed_ips) {
      if (!ip.remove) wanted.push_back(ip.prefix);
    }
    std::sort(wanted.begin(), wanted.end());
    std::vector<net::Prefix> unwanted;
    tables_.allowed_ips.for_each(slot, [&](const net::Prefix& prefix) {
      if (!std::binary_search(wanted.begin(), wanted.end(), prefix)) unwanted.push_back(prefix);
    });
    for (const net::Prefix& prefix : unwanted) tables_.allowed_ips.remove(prefix, slot);
  }
  for (const AllowedIpChange& ip : change.allowed_ips) {
    if (ip.remove) {
      tables_.allowed_ips.remove(ip.prefix, slot);
    } else {
      CHECK(tables_.allowed_ips.insert(ip.prefix, slot));
    }
  }
}

void Engine::remove_peer(PeerSlot slot, ControlOutbox& out) {
  unlink(slot, *peers_.find(slot));
  tell_workers(WorkerCommand::Kind::DropStaged, slot, out);
  // Workers may still read its path and endpoint.
  tables_.epochs.retire(peers_.remove(slot));
}

DeviceStatus Engine::status() const {
  DeviceStatus status;
  if (identity_) {
    status.private_key = identity_->private_key().duplicate();
    status.public_key = identity_->public_key();
  }
  status.peers.reserve(peers_.size());
  peers_.for_each(
      [&](PeerSlot slot, const Peer& peer) { status.peers.push_back(status_of(slot, peer)); });
  return status;
}

PeerStatus Engine::status_of(PeerSlot slot, const Peer& peer) const {
  PeerStatus status{.public_key = peer.public_key};
  if (peer.preshared_key) status.preshared_key = peer.preshared_key->duplicate();
  if (peer.endpoint) status.endpoint = peer.endpoint->remote;
  status.last_handshake = peer.last_handshake;
  status.persistent_keepalive_seconds = peer.persistent_keepalive_seconds;
  if (peer.activity) {
    const PeerPath& path = peer.activity->path;
    status.last_initiation_sent = peer.activity->last_initiation_sent;
    status.rx_bytes = path.received.bytes.load(std::memory_order_relaxed);
    status.tx_bytes = path.sent.bytes.load(std::memory_order_relaxed);
    for (std::size_t i = 0; i < peer.activity->failures.size(); ++i) {
      const std::uint32_t count = peer.activity->failures[i];
      if (count == 0) continue;
      status.counters.push_back({std::string(name_of(static_cast<HandshakeFailure>(i))), count});
    }
  }
  tables_.allowed_ips.for_each(
      slot, [&](const net::Prefix& prefix) { status.allowed_ips.push_back(prefix); });
  return status;
}

}  // namespace ginnel::wg

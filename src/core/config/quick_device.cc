#include "core/config/quick_device.h"

#include <algorithm>
#include <map>
#include <set>

namespace ginnel::config {
namespace {

template <class Key>
bool is_same(const Key& a, const Key& b) {
  return equal_in_constant_time(a.expose(), b.expose());
}

wg::PeerChange whole(const QuickPeer& peer, const std::optional<net::Endpoint>& endpoint) {
  wg::PeerChange change;
  change.public_key = peer.public_key;
  if (peer.preshared_key) change.preshared_key = peer.preshared_key->duplicate();
  change.endpoint = endpoint;
  change.persistent_keepalive_seconds = peer.persistent_keepalive_seconds;
  change.replace_allowed_ips = peer.replace_allowed_ips;
  change.allowed_ips = peer.allowed_ips;
  return change;
}

bool has_allowed_ips(const QuickPeer& peer, const wg::PeerStatus& status) {
  std::set<net::Prefix> wanted;
  if (!peer.replace_allowed_ips)
    wanted.insert(status.allowed_ips.begin(), status.allowed_ips.end());
  for (const wg::AllowedIpChange& allowed : peer.allowed_ips) {
    if (allowed.remove) {
      wanted.erase(allowed.prefix);
    } else {
      wanted.insert(allowed.prefix);
    }
  }
  return wanted == std::set(status.allowed_ips.begin(), status.allowed_ips.end());
}

std::optional<wg::PeerChange> difference(const QuickPeer& peer,
                                         const std::optional<net::Endpoint>& endpoint,
                                         const wg::PeerStatus& status) {
  wg::PeerChange change;
  change.public_key = peer.public_key;
  bool differs = false;
  const crypto::PresharedKey none;
  const crypto::PresharedKey& wanted = peer.preshared_key ? *peer.preshared_key : none;
  if (!is_same(wanted, status.preshared_key ? *status.preshared_key : none)) {
    change.preshared_key = wanted.duplicate();
    differs = true;
  }
  if (endpoint && endpoint != status.endpoint) {
    change.endpoint = endpoint;
    differs = true;
  }
  const std::uint16_t keepalive = peer.persistent_keepalive_seconds.value_or(0);
  if (keepalive != status.persistent_keepalive_seconds) {
    change.persistent_keepalive_seconds = keepalive;
    differs = true;
  }
  if (!has_allowed_ips(peer, status)) {
    change.replace_allowed_ips = peer.replace_allowed_ips;
    change.allowed_ips = peer.allowed_ips;
    differs = true;
  }
  if (!differs) return std::nullopt;
  return change;
}

}  // namespace

wg::DeviceChange quick_addition(const QuickFile& file, const QuickNames& names) {
  wg::DeviceChange change{.listen_port = names.listen_port, .fwmark = file.fwmark};
  if (file.private_key) change.private_key = file.private_key->duplicate();
  for (std::size_t i = 0; i < file.peers.size(); ++i) {
    change.peers.push_back(whole(file.peers[i], names.endpoints.at(i)));
  }
  return change;
}

wg::DeviceChange quick_difference(const QuickFile& file, const QuickNames& names,
                                  const wg::DeviceStatus& device) {
  wg::DeviceChange change;
  const crypto::PrivateKey none;
  const crypto::PrivateKey& present = device.private_key ? *device.private_key : none;
  if (file.private_key && !is_same(*file.private_key, present)) {
    change.private_key = file.private_key->duplicate();
  }
  if (names.listen_port && *names.listen_port != device.listen_port) {
    change.listen_port = names.listen_port;
  }
  if (file.fwmark && *file.fwmark != device.fwmark) change.fwmark = file.fwmark;

  std::map<crypto::PublicKey, const wg::PeerStatus*> present_peers;
  for (const wg::PeerStatus& peer : device.peers) present_peers[peer.public_key] = &peer;
  for (const QuickPeer& peer : file.peers) present_peers.erase(peer.public_key);
  for (const auto& [key, status] : present_peers) {
    wg::PeerChange& removal = change.peers.emplace_back();
    removal.public_key = key;
    removal.remove = true;
  }
  for (const wg::PeerStatus& peer : device.peers) present_peers[peer.public_key] = &peer;
  for (std::size_t i = 0; i < file.peers.size(); ++i) {
    const QuickPeer& peer = file.peers[i];
    const auto found = present_peers.find(peer.public_key);
    if (found == present_peers.end()) {
      change.peers.push_back(whole(peer, names.endpoints.at(i)));
    } else if (auto differing = difference(peer, names.endpoints.at(i), *found->second)) {
      change.peers.push_back(std::move(*differing));
    }
  }
  return change;
}

bool may_have_moved(const QuickPeer& peer, const wg::PeerStatus& status, UnixTime now) {
  if (!peer.endpoint || net::Address::parse(peer.endpoint->host)) return false;
  return !status.last_handshake || now - *status.last_handshake >= kLostPeerSilence;
}

std::optional<net::Endpoint> next_endpoint(const std::vector<net::Endpoint>& found,
                                           const std::optional<net::Endpoint>& present) {
  if (found.empty()) return std::nullopt;
  const auto at = present ? std::ranges::find(found, *present) : found.end();
  const bool is_last = at == found.end() || at + 1 == found.end();
  const net::Endpoint& next = is_last ? found.front() : *(at + 1);
  if (next == present) return std::nullopt;
  return next;
}

}  // namespace ginnel::config

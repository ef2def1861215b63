// A WireGuard device in memory: takes changes as a real one does and counts what a test says.
#pragma once

#include <map>
#include <set>

#include "service/tunnel/wg_device.h"

namespace ginnel::server {

class DeviceTwin final : public tunnel::WgDevice {
 public:
  const std::string& interface_name() const override { return name; }

  Status configure(wg::DeviceChange change) override {
    if (refuse_next) {
      refuse_next = false;
      return fail(ErrorCode::AlreadyExists, "bind port: in use");
    }
    ++changes;
    touched.clear();
    if (change.private_key) private_key = std::move(*change.private_key);
    if (change.listen_port) listen_port = *change.listen_port;
    for (wg::PeerChange& peer : change.peers) configure(std::move(peer));
    return ok();
  }

  Result<wg::DeviceStatus> observe() override {
    wg::DeviceStatus status;
    status.private_key = private_key.duplicate();
    status.public_key = private_key.public_key();
    status.listen_port = listen_port;
    status.counters = {{"drop_bad_length", 3}, {"tun_reads", 7}};
    for (const auto& [key, peer] : peers) {
      wg::PeerStatus copy;
      copy.public_key = key;
      copy.endpoint = peer.endpoint;
      copy.last_handshake = peer.last_handshake;
      copy.rx_bytes = peer.rx_bytes;
      copy.tx_bytes = peer.tx_bytes;
      copy.allowed_ips = peer.allowed_ips;
      copy.counters = peer.counters;
      copy.persistent_keepalive_seconds = peer.persistent_keepalive_seconds;
      status.peers.push_back(std::move(copy));
    }
    return status;
  }

  std::string name = "wg7";
  crypto::PrivateKey private_key;
  std::uint16_t listen_port = 0;
  std::map<crypto::PublicKey, wg::PeerStatus> peers;
  std::set<crypto::PublicKey> touched;  // By the last change.
  int changes = 0;
  bool refuse_next = false;

 private:
  void configure(wg::PeerChange change) {
    touched.insert(change.public_key);
    if (change.remove) {
      peers.erase(change.public_key);
      return;
    }
    wg::PeerStatus& peer = peers[change.public_key];
    peer.public_key = change.public_key;
    if (change.endpoint) peer.endpoint = change.endpoint;
    if (change.preshared_key) peer.preshared_key = std::move(change.preshared_key);
    if (change.persistent_keepalive_seconds) {
      peer.persistent_keepalive_seconds = *change.persistent_keepalive_seconds;
    }
    if (change.replace_allowed_ips) peer.allowed_ips.clear();
    for (const wg::AllowedIpChange& ip : change.allowed_ips) peer.allowed_ips.push_back(ip.prefix);
  }
};

}  // namespace ginnel::server

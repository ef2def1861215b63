#include "service/server/traffic_book.h"

#include <algorithm>

#include "service/server/server_state.h"

namespace ginnel::server {
namespace {

constexpr std::string_view kHandshakeCounters = "handshake_";

}  // namespace

Result<TrafficBook> TrafficBook::open(const storage::Database& database) {
  auto store = storage::TrafficStore::open(database);
  if (!store) return pass(std::move(store));
  return TrafficBook(std::move(*store));
}

void TrafficBook::record(MonoTime now, const wg::DeviceStatus& device) {
  for (const wg::PeerStatus& peer : device.peers) {
    storage::Traffic counted{.rx_bytes = peer.rx_bytes, .tx_bytes = peer.tx_bytes};
    if (peer.last_handshake) {
      Handshakes& handshakes = handshakes_[peer.public_key];
      if (handshakes.last != *peer.last_handshake) {
        handshakes = {*peer.last_handshake, handshakes.count + 1};
      }
      counted.last_handshake = handshakes.last;
      counted.handshakes = handshakes.count;
      if (peer.endpoint) counted.endpoint = peer.endpoint->to_string();
    }
    for (const wg::NamedCounter& counter : peer.counters) {
      if (!counter.name.starts_with(kHandshakeCounters)) continue;
      counted.failures.push_back({counter.name.substr(kHandshakeCounters.size()), counter.value});
    }
    // Most of many peers never spoke, and have nothing to keep.
    const storage::PeerKey key = store_key(peer.public_key);
    const storage::Traffic nothing;
    if (counted == nothing && store_.total(key) == nothing) continue;
    store_.record(key, counted);
  }
  rates_.sample(now, device.peers);
}

PeerTraffic TrafficBook::of(const crypto::PublicKey& peer) const {
  return {store_.total(store_key(peer)), rates_.of(peer)};
}

void TrafficBook::forget(const crypto::PublicKey& peer) {
  store_.forget(store_key(peer));
  handshakes_.erase(peer);
}

Duration TrafficBook::interval(std::size_t peers) {
  return std::max(kMinInterval, Duration(1s) * static_cast<int>(peers / kPeersPerSecond));
}

}  // namespace ginnel::server

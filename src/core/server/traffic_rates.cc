#include "core/server/traffic_rates.h"

#include <utility>

namespace ginnel::server {

void TrafficRates::sample(MonoTime now, std::span<const wg::PeerStatus> peers) {
  newest_.at = now;
  newest_.bytes.clear();
  for (const wg::PeerStatus& peer : peers) {
    newest_.bytes.emplace(peer.public_key, Bytes{peer.rx_bytes, peer.tx_bytes});
  }
  if (next_base_.at == kNever) {
    next_base_ = newest_;
  } else if (now - next_base_.at >= kMinWindow) {
    base_ = std::move(next_base_);
    next_base_ = newest_;
  }
  total_ = {};
  for (const wg::PeerStatus& peer : peers) {
    const Rate rate = of(peer.public_key);
    total_.rx_bytes_per_second += rate.rx_bytes_per_second;
    total_.tx_bytes_per_second += rate.tx_bytes_per_second;
  }
}

Rate TrafficRates::of(const crypto::PublicKey& peer) const {
  const auto before = base().bytes.find(peer);
  const auto after = newest_.bytes.find(peer);
  if (before == base().bytes.end() || after == newest_.bytes.end()) return {};
  const Bytes &from = before->second, &to = after->second;
  const double seconds = std::chrono::duration<double>(newest_.at - base().at).count();
  if (seconds <= 0 || to.rx < from.rx || to.tx < from.tx) return {};
  return {static_cast<double>(to.rx - from.rx) / seconds,
          static_cast<double>(to.tx - from.tx) / seconds};
}

}  // namespace ginnel::server

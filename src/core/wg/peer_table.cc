#include "core/wg/peer_table.h"

namespace ginnel::wg {

std::string_view name_of(HandshakeFailure failure) {
  constexpr std::array<std::string_view, static_cast<std::size_t>(HandshakeFailure::kCount)>
      kNames = {"handshake_unanswered",   "handshake_no_endpoint",  "handshake_replayed",
                "handshake_too_frequent", "handshake_bad_response", "handshake_low_order_key"};
  return kNames.at(static_cast<std::size_t>(failure));
}

PeerSlot PeerTable::add(const crypto::PublicKey& key) {
  std::uint32_t row;
  if (free_.empty()) {
    row = static_cast<std::uint32_t>(peers_.size());
    peers_.emplace_back();
  } else {
    row = free_.back();
    free_.pop_back();
  }
  peers_[row] = std::make_unique<Peer>(key);
  const bool added = by_key_.emplace(key, PeerSlot{row}).second;
  CHECK(added && by_key_.size() <= kMaxPeers);
  return PeerSlot{row};
}

std::unique_ptr<Peer> PeerTable::remove(PeerSlot slot) {
  const auto row = static_cast<std::uint32_t>(slot);
  std::unique_ptr<Peer> peer = std::move(peers_.at(row));
  CHECK(peer != nullptr);
  by_key_.erase(peer->public_key);
  epochs_.retire(std::move_only_function<void()>([this, row] { free_.push_back(row); }));
  return peer;
}

void PeerTable::reserve(std::size_t count) {
  peers_.reserve(count);
  by_key_.reserve(count);
}

}  // namespace ginnel::wg

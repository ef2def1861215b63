#include "core/wg/staged_packets.h"

#include <utility>

#include "net/ip_packet.h"

namespace ginnel::wg {
namespace {

std::size_t cost_of(ByteView packet) { return packet.size() + StagedPackets::kPacketCost; }

}  // namespace

std::size_t StagedPackets::add(PeerSlot peer, ByteView packet) {
  const std::size_t peer_cost = holds(peer) ? 0 : kPeerCost;
  if (bytes_ + cost_of(packet) + peer_cost > kMaxBytes) return 1;
  auto& queue = queues_[peer].packets;
  bytes_ += peer_cost;
  std::size_t dropped = 0;
  if (queue.size() == kMaxPerPeer) {
    bytes_ -= cost_of(queue.front());
    queue.pop_front();
    --count_;
    dropped = 1;
  }
  ++count_;
  queue.emplace_back(packet.begin(), packet.end());
  bytes_ += cost_of(packet);
  return dropped;
}

std::size_t StagedPackets::put_back(PeerSlot peer, ByteView packet) {
  std::erase(released_, peer);
  const std::size_t dropped = add(peer, packet);
  if (dropped != 0) return dropped;
  Queue& queue = queues_.at(peer);
  const auto at = queue.packets.begin() + static_cast<std::ptrdiff_t>(queue.put_back++);
  std::rotate(at, queue.packets.end() - 1, queue.packets.end());
  return 0;
}

bool StagedPackets::take_ask(PeerSlot peer, MonoTime now) {
  Queue& queue = queues_.at(peer);
  if (now < queue.ask_again) return false;
  queue.ask_again = now + kRekeyTimeout;
  return true;
}

void StagedPackets::release(PeerSlot peer) {
  if (holds(peer) && std::find(released_.begin(), released_.end(), peer) == released_.end()) {
    released_.push_back(peer);
  }
}

std::size_t StagedPackets::drop(PeerSlot peer) {
  const auto found = queues_.find(peer);
  if (found == queues_.end()) return 0;
  const std::size_t count = found->second.packets.size();
  for (const auto& packet : found->second.packets) bytes_ -= cost_of(packet);
  bytes_ -= kPeerCost;
  count_ -= count;
  queues_.erase(found);
  return count;
}

std::size_t StagedPackets::drop_all() {
  queues_.clear();
  released_.clear();
  bytes_ = 0;
  return std::exchange(count_, 0);
}

bool StagedPackets::load(net::PacketBatch& batch) {
  while (!released_.empty()) {
    const auto found = queues_.find(released_.front());
    if (found == queues_.end()) {  // Dropped since.
      released_.pop_front();
      continue;
    }
    auto& queue = found->second.packets;
    found->second.put_back = 0;
    while (!queue.empty() && batch.fits(queue.front().size())) {
      const ByteSpan room = batch.append(queue.front().size());
      std::copy(queue.front().begin(), queue.front().end(), room.begin());
      if (const auto ip = net::IpPacket::parse(room)) batch.set_ecn(batch.size() - 1, ip->ecn());
      bytes_ -= cost_of(queue.front());
      queue.pop_front();
      --count_;
    }
    if (!queue.empty()) return true;  // The batch is full; the rest comes with the next.
    bytes_ -= kPeerCost;
    queues_.erase(found);
    released_.pop_front();
  }
  return !batch.empty();
}

}  // namespace ginnel::wg

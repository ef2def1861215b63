// Packets that wait at one worker until their peer has a session. Bounded per peer, so that a
// silent peer cannot hold much, and in all, so that a scan of many cannot either.
#pragma once

#include <deque>
#include <unordered_map>
#include <vector>

#include "base/time.h"
#include "core/wg/constants.h"
#include "core/wg/peer_slot.h"
#include "net/packet_batch.h"

namespace ginnel::wg {

class StagedPackets {
 public:
  static constexpr std::size_t kMaxPerPeer = 128;
  static constexpr std::size_t kMaxBytes = std::size_t{4} << 20;
  // What a packet and a waiting peer cost beside the packet's bytes: they count towards kMaxBytes.
  static constexpr std::size_t kPacketCost = 64;
  static constexpr std::size_t kPeerCost = 1024;

  // Keeps a copy. At the peer's limit the oldest goes, because newer ones are likelier to be still
  // wanted; at the limit of all the new one goes. Returns how many packets were dropped: 0 or 1.
  std::size_t add(PeerSlot peer, ByteView packet);

  // Keeps a copy of a packet that load() gave out and that could not go after all: in front of
  // those that still wait, and behind others put back before it. The peer is not released any more.
  std::size_t put_back(PeerSlot peer, ByteView packet);

  // Whether to ask for a handshake now: once when a packet begins to wait, and again after a while,
  // because the question or its answer may have been lost in a full queue.
  // REQUIRES: holds(peer).
  bool take_ask(PeerSlot peer, MonoTime now);

  bool empty() const { return queues_.empty(); }
  bool holds(PeerSlot peer) const { return !queues_.empty() && queues_.contains(peer); }

  // The peer's packets may go: load() hands them out.
  void release(PeerSlot peer);
  // Returns how many there were.
  std::size_t drop(PeerSlot peer);
  std::size_t drop_all();

  // Moves released packets, oldest first, into an empty batch. Returns false when there are none.
  bool load(net::PacketBatch& batch);

  std::size_t bytes() const { return bytes_; }

 private:
  struct Queue {
    std::deque<std::vector<std::uint8_t>> packets;
    std::size_t put_back = 0;  // Of the packets, how many in front came back since load().
    MonoTime ask_again = MonoTime::min();
  };

  std::unordered_map<PeerSlot, Queue> queues_;
  std::deque<PeerSlot> released_;
  std::size_t bytes_ = 0;
  std::size_t count_ = 0;  // Of packets.
};

}  // namespace ginnel::wg

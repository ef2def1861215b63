// What the data path knows of a peer that has spoken: where to send, with which session, and what
// passed. Made at the first handshake, so that a silent peer costs nothing here.
#pragma once

#include <atomic>

#include "base/epoch.h"
#include "base/time.h"
#include "core/wg/chunked_array.h"
#include "core/wg/peer_slot.h"
#include "net/endpoint.h"

namespace ginnel::wg {

class Session;

// A point in time that threads exchange without order; absent until set.
class TimeStamp {
 public:
  void set(MonoTime at) { at_.store(at.time_since_epoch().count(), std::memory_order_relaxed); }
  void clear() {
    if (is_set()) at_.store(kUnset, std::memory_order_relaxed);
  }
  bool is_set() const { return at_.load(std::memory_order_relaxed) != kUnset; }
  // kNever when unset.
  MonoTime get() const { return MonoTime(Duration(at_.load(std::memory_order_relaxed))); }

 private:
  static constexpr std::int64_t kUnset = kNever.time_since_epoch().count();
  std::atomic<std::int64_t> at_{kUnset};
};

// Counts of one direction. Workers add once per run of packets.
struct TrafficCount {
  std::atomic<std::uint64_t> bytes{0};
  std::atomic<std::uint64_t> packets{0};

  void add(std::uint64_t more_bytes, std::uint64_t more_packets) {
    bytes.fetch_add(more_bytes, std::memory_order_relaxed);
    packets.fetch_add(more_packets, std::memory_order_relaxed);
  }
};

struct PeerPath {
  explicit PeerPath(PeerSlot peer_slot) : slot(peer_slot) {}

  const PeerSlot slot;

  // Written by the control engine; read inside an epoch. Null: none that may be used for sending.
  std::atomic<Session*> current{nullptr};
  std::atomic<const net::PathAddress*> endpoint{nullptr};

  // Written by whoever carries traffic. Datagrams are counted with all that WireGuard adds.
  alignas(64) TrafficCount sent;
  TimeStamp awaiting_reply;  // First data sent since anything authentic came in.
  TimeStamp last_sent;       // Anything authenticated, keepalives and handshakes included.
  alignas(64) TrafficCount received;
  TimeStamp owing_reply;  // First data received since anything went out.
  TimeStamp last_received;

  // Whether the control engine's timer watches the stamps. A worker that sets a stamp and finds
  // this false has to report the peer as active.
  std::atomic<bool> watched{false};

  // What every authenticated message does to the stamps. Return whether to report "active"; if that
  // cannot be done, put_back makes the next message try again.
  [[nodiscard]] bool note_sent(MonoTime now, bool is_data) {
    last_sent.set(now);
    owing_reply.clear();
    return is_data && start(awaiting_reply, now);
  }
  [[nodiscard]] bool note_received(MonoTime now, bool is_data) {
    last_received.set(now);
    awaiting_reply.clear();
    return is_data && start(owing_reply, now);
  }
  void put_back_sent() { put_back(awaiting_reply); }
  void put_back_received() { put_back(owing_reply); }

 private:
  bool start(TimeStamp& stamp, MonoTime now) {
    if (stamp.is_set()) return false;
    stamp.set(now);
    // Ordered against the engine's "clear watched, then look at the stamps": one of the two sees
    // the other's store.
    std::atomic_thread_fence(std::memory_order_seq_cst);
    return !watched.load(std::memory_order_relaxed) && !watched.exchange(true);
  }
  void put_back(TimeStamp& stamp) {
    stamp.clear();
    watched.store(false);
  }
};

// Paths by peer slot. The control engine changes it; workers read it inside an epoch.
class PathTable {
 public:
  PeerPath* find(PeerSlot slot) const {
    const auto* path = paths_.find(static_cast<std::uint32_t>(slot));
    return path == nullptr ? nullptr : path->load(std::memory_order_acquire);
  }
  void set(PeerSlot slot, PeerPath* path) {
    paths_.grow_to(static_cast<std::uint32_t>(slot) + 1);
    paths_[static_cast<std::uint32_t>(slot)].store(path, std::memory_order_release);
  }
  void clear(PeerSlot slot) {
    if (static_cast<std::uint32_t>(slot) < paths_.size()) set(slot, nullptr);
  }

 private:
  ChunkedArray<std::atomic<PeerPath*>, 1024, kMaxPeers / 1024> paths_;
};

}  // namespace ginnel::wg

// Sessions by receiver index. An index names a row and carries random bits, so that it can be
// looked up with one access and not be guessed; a stale one does not match the session that reused
// its row. The control engine changes the table; workers read it inside an epoch.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "base/epoch.h"
#include "base/rng.h"
#include "core/wg/chunked_array.h"
#include "core/wg/session.h"

namespace ginnel::wg {

class SessionTable {
 public:
  static constexpr std::uint32_t kRowBits = 20;
  static constexpr std::uint32_t kMaxSessions = 1u << kRowBits;
  // The uppermost bits of an index are its peer's lane: peers that follow each other have different
  // ones, and all of a peer's sessions the same. The kernel can read it off a transport message,
  // and so bring each peer's to a socket of its own.
  static constexpr unsigned kLaneBits = 4;
  static constexpr unsigned kLaneShift = 32 - kLaneBits;
  static constexpr std::uint32_t kLanes = 1u << kLaneBits;

  SessionTable(EpochDomain& epochs, Rng& rng);
  ~SessionTable();

  static std::uint32_t lane_of(SessionIndex index) {
    return static_cast<std::uint32_t>(index) >> kLaneShift;
  }

  // Any thread, inside an epoch. Null when there is no such session, or only its handshake so far.
  Session* find(SessionIndex index) const {
    const Row* row = rows_.find(row_of(index));
    Session* session = row == nullptr ? nullptr : row->session.load(std::memory_order_acquire);
    return session != nullptr && session->local_index() == index ? session : nullptr;
  }

  // The control engine from here on.

  // Takes an index for a handshake of `peer`. Nothing when all are taken.
  std::optional<SessionIndex> reserve(PeerSlot peer);
  // The peer that holds `index`, with or without a session yet; kNoPeer when it is free.
  PeerSlot holder(SessionIndex index) const;
  // Makes the session visible. REQUIRES: its local index is reserved and has none.
  Session& publish(std::unique_ptr<Session> session);
  // Frees the index; the session and its keys go when no worker can see it.
  void release(SessionIndex index);
  std::size_t size() const { return size_; }

 private:
  struct Row {
    std::atomic<Session*> session{nullptr};
    std::uint32_t index = 0;    // The control engine's: the index last given out for this row.
    PeerSlot holder = kNoPeer;  // The control engine's.
  };

  std::uint32_t row_of(SessionIndex index) const {
    return (static_cast<std::uint32_t>(index) ^ mask_) & (kMaxSessions - 1);
  }
  Row* held_row(SessionIndex index);

  EpochDomain& epochs_;
  Rng& rng_;
  const std::uint32_t mask_;
  ChunkedArray<Row, 256, kMaxSessions / 256> rows_;
  std::vector<std::uint32_t> free_rows_;
  std::size_t size_ = 0;
};

}  // namespace ginnel::wg

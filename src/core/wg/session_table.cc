#include "core/wg/session_table.h"

namespace ginnel::wg {

SessionTable::SessionTable(EpochDomain& epochs, Rng& rng)
    : epochs_(epochs), rng_(rng), mask_(rng.number<std::uint32_t>()) {}

SessionTable::~SessionTable() {
  for (std::uint32_t row = 0; row < rows_.size(); ++row) {
    const std::unique_ptr<Session> session(rows_[row].session.load(std::memory_order_relaxed));
  }
}

std::optional<SessionIndex> SessionTable::reserve(PeerSlot peer) {
  if (free_rows_.empty()) {
    const std::uint32_t first = rows_.size();
    if (first >= kMaxSessions) return std::nullopt;
    rows_.grow_to(first + 1);
    for (std::uint32_t row = rows_.size(); row-- > first;) free_rows_.push_back(row);
  }
  const std::uint32_t row_number = free_rows_.back();
  free_rows_.pop_back();
  Row& row = rows_[row_number];
  // Never the index that the row had last: a late packet for the old session must find nothing.
  const std::uint32_t before = row.index;
  const std::uint32_t lane = static_cast<std::uint32_t>(peer) % kLanes;
  do {
    const std::uint32_t random = rng_.number<std::uint32_t>() << kRowBits;
    const std::uint32_t below = ((random | row_number) ^ mask_) << kLaneBits >> kLaneBits;
    row.index = lane << kLaneShift | below;
  } while (row.index == before);
  row.holder = peer;
  ++size_;
  return SessionIndex{row.index};
}

SessionTable::Row* SessionTable::held_row(SessionIndex index) {
  const std::uint32_t row_number = row_of(index);
  if (row_number >= rows_.size()) return nullptr;
  Row& row = rows_[row_number];
  const bool held = row.holder != kNoPeer && row.index == static_cast<std::uint32_t>(index);
  return held ? &row : nullptr;
}

PeerSlot SessionTable::holder(SessionIndex index) const {
  const Row* row = const_cast<SessionTable*>(this)->held_row(index);
  return row == nullptr ? kNoPeer : row->holder;
}

Session& SessionTable::publish(std::unique_ptr<Session> session) {
  Row* row = held_row(session->local_index());
  CHECK(row != nullptr && row->session.load(std::memory_order_relaxed) == nullptr);
  Session& published = *session;
  row->session.store(session.release(), std::memory_order_release);
  return published;
}

void SessionTable::release(SessionIndex index) {
  Row* row = held_row(index);
  if (row == nullptr) return;
  epochs_.retire(
      std::unique_ptr<Session>(row->session.exchange(nullptr, std::memory_order_acq_rel)));
  row->holder = kNoPeer;
  free_rows_.push_back(row_of(index));
  --size_;
}

}  // namespace ginnel::wg

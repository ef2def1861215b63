// One pair of transport keys and what the data path needs to use them. Made by the control engine,
// used by all workers at once; this file is the one place where threads share mutable protocol
// state, by these rules:
//   - everything const is written before the session is published and never again;
//   - the send counter is an atomic that a run of packets advances once;
//   - the replay window is under the session's own lock, taken once per run of packets;
//   - flags are set once, by whoever wins the exchange.
// A session found inside an epoch lives until that turn ends; its keys are erased with it.
#pragma once

#include <atomic>
#include <optional>

#include "base/epoch.h"
#include "base/mutex.h"
#include "base/time.h"
#include "core/crypto/aead_batch.h"
#include "core/wg/constants.h"
#include "core/wg/messages.h"
#include "core/wg/peer_slot.h"
#include "core/wg/replay_window.h"

namespace ginnel::wg {

struct PeerPath;

struct SessionSetup {
  SessionIndex local_index;
  SessionIndex remote_index;
  PeerSlot peer;
  PeerPath* path;  // Outlives the session: it goes only with the peer, after its sessions.
  bool is_initiator;
  MonoTime created;
};

class Session {
 public:
  // Every thread there may be can take this many beyond the limit, and the counter does not wrap.
  static constexpr std::uint64_t kMaxReservation = 128;
  static_assert(kRejectAfterMessages - 1 <=
                ~std::uint64_t{0} - EpochDomain::kMaxReaders * kMaxReservation);

  Session(const SessionSetup& setup, crypto::AeadKey send, crypto::AeadKey receive)
      : setup_(setup), send_key_(std::move(send)), receive_key_(std::move(receive)) {}

  SessionIndex local_index() const { return setup_.local_index; }
  SessionIndex remote_index() const { return setup_.remote_index; }
  PeerSlot peer() const { return setup_.peer; }
  PeerPath& path() const { return *setup_.path; }
  bool is_initiator() const { return setup_.is_initiator; }
  MonoTime created() const { return setup_.created; }
  const crypto::AeadKey& send_key() const { return send_key_; }
  const crypto::AeadKey& receive_key() const { return receive_key_; }

  bool expired(MonoTime now) const { return now - setup_.created >= kRejectAfterTime; }

  // Takes `count` consecutive send counters and returns the first, or nothing when the session may
  // not send that many any more. REQUIRES: count <= kMaxReservation.
  std::optional<std::uint64_t> reserve_counters(std::uint64_t count) {
    // Refused attempts must not add up until the counter wraps and hands out used ones. Threads
    // that pass this test together cannot get there: see kMaxReservation.
    if (sent() >= kRejectAfterMessages) return std::nullopt;
    const std::uint64_t first = next_counter_.fetch_add(count, std::memory_order_relaxed);
    if (first >= kRejectAfterMessages || count > kRejectAfterMessages - first) return std::nullopt;
    return first;
  }
  std::uint64_t sent() const { return next_counter_.load(std::memory_order_relaxed); }
  // For tests of the limits.
  void skip_counters_to(std::uint64_t counter) { next_counter_.store(counter); }

  // The initiator has to ask for new keys soon (section 6.2). Says so once, or again after put_back
  // if nobody could be told.
  bool take_rekey_on_send(MonoTime now) {
    const bool old = is_initiator() && now - created() >= kRekeyAfterTime;
    if (!old && sent() < kRekeyAfterMessages) return false;
    return take(rekey_asked_);
  }
  bool take_rekey_on_receive(MonoTime now) {
    if (!is_initiator()) return false;
    if (now - created() < kRejectAfterTime - kKeepaliveTimeout - kRekeyTimeout) return false;
    return take(late_rekey_asked_);
  }
  void put_back_rekey_on_send() { rekey_asked_.store(false, std::memory_order_relaxed); }
  void put_back_rekey_on_receive() { late_rekey_asked_.store(false, std::memory_order_relaxed); }

  // The responder may use the session once the initiator has shown that it holds the keys. True
  // for the one caller that has to tell the control engine.
  bool take_confirmation() { return !is_initiator() && take(confirmed_); }
  void put_back_confirmation() { confirmed_.store(false, std::memory_order_relaxed); }

  // Calls use(window) under the window's lock.
  template <class Use>
  void with_window(Use&& use) {
    const MutexLock lock(window_mutex_);
    use(window_);
  }

 private:
  static bool take(std::atomic<bool>& flag) {
    return !flag.load(std::memory_order_relaxed) && !flag.exchange(true);
  }

  const SessionSetup setup_;
  const crypto::AeadKey send_key_;
  const crypto::AeadKey receive_key_;
  std::atomic<bool> rekey_asked_{false};
  std::atomic<bool> late_rekey_asked_{false};
  std::atomic<bool> confirmed_{false};
  alignas(64) std::atomic<std::uint64_t> next_counter_{0};
  alignas(64) Mutex window_mutex_;
  ReplayWindow window_ GUARDED_BY(window_mutex_);
};

}  // namespace ginnel::wg

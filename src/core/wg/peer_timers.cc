#include "core/wg/peer_timers.h"

#include <algorithm>

namespace ginnel::wg {
namespace {

MonoTime after(MonoTime stamp, Duration delay) { return stamp == kNever ? kNever : stamp + delay; }

}  // namespace

void PeerTimers::set_persistent_keepalive(Duration interval, MonoTime now) {
  if (interval > 0s && persistent_interval_ == 0s) persistent_not_before_ = now;
  persistent_interval_ = interval;
}

void PeerTimers::on_initiation_sent(MonoTime now, Duration jitter) {
  if (!handshake_running()) handshake_started_ = now;
  jitter_ = jitter;
  retransmit_.arm(now + kRekeyTimeout + jitter);
}

void PeerTimers::on_handshake_done() {
  retransmit_.disarm();
  handshake_started_ = kNever;
}

PeerTimers::Due PeerTimers::handle_timeout(MonoTime now, const TrafficStamps& stamps) {
  Due due;
  if (retransmit_.take_if_due(now)) {
    if (now - handshake_started_ < kRekeyAttemptTime) {
      due.retransmit = true;
    } else {
      // The peer is gone. Keys of an older session must not stay because no newer one came.
      due.give_up = true;
      handshake_started_ = kNever;
      erase_keys_.arm_if_idle(now + 3 * kRejectAfterTime);
    }
  }
  due.new_handshake = now >= new_handshake_at(stamps);
  due.keepalive = now >= keepalive_at(stamps);
  if (now >= persistent_keepalive_at(stamps)) {
    due.persistent_keepalive = true;
    persistent_not_before_ = now + persistent_interval_;
  }
  due.erase_keys = erase_keys_.take_if_due(now);
  return due;
}

MonoTime PeerTimers::next_timeout(const TrafficStamps& stamps) const {
  return std::min({retransmit_.at(), erase_keys_.at(), keepalive_at(stamps),
                   new_handshake_at(stamps), persistent_keepalive_at(stamps)});
}

MonoTime PeerTimers::keepalive_at(const TrafficStamps& stamps) const {
  return after(stamps.owing_reply, kKeepaliveTimeout);
}

MonoTime PeerTimers::new_handshake_at(const TrafficStamps& stamps) const {
  return after(stamps.awaiting_reply, kKeepaliveTimeout + kRekeyTimeout + jitter_);
}

MonoTime PeerTimers::persistent_keepalive_at(const TrafficStamps& stamps) const {
  if (persistent_interval_ == 0s) return kNever;
  MonoTime at = persistent_not_before_;
  for (const MonoTime stamp : {stamps.last_sent, stamps.last_received}) {
    if (stamp != kNever) at = std::max(at, stamp + persistent_interval_);
  }
  return at;
}

}  // namespace ginnel::wg

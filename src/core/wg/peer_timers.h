// The deadlines of one peer (whitepaper, section 6). Those that follow from traffic are not armed
// per packet: the data path keeps stamps, and a deadline is where the stamps say it is.
#pragma once

#include "base/time.h"
#include "core/wg/constants.h"

namespace ginnel::wg {

// What the data path's stamps said when the timers looked; kNever where there is none.
struct TrafficStamps {
  MonoTime awaiting_reply = kNever;
  MonoTime owing_reply = kNever;
  MonoTime last_sent = kNever;
  MonoTime last_received = kNever;
};

class PeerTimers {
 public:
  // What is due. Several may be due at once.
  struct Due {
    bool retransmit = false;            // The initiation was not answered: send another.
    bool give_up = false;               // Nobody has answered for kRekeyAttemptTime.
    bool new_handshake = false;         // We send and nothing comes back.
    bool keepalive = false;             // We were sent data and have sent nothing since.
    bool persistent_keepalive = false;  // The interval has passed without traffic.
    bool erase_keys = false;

    bool any() const {
      return retransmit || give_up || new_handshake || keepalive || persistent_keepalive ||
             erase_keys;
    }
  };

  // Zero turns it off. Turning it on makes one due at once.
  void set_persistent_keepalive(Duration interval, MonoTime now);

  // `jitter` delays the retransmission and the next handshake for want of an answer, so that two
  // peers do not retry in step.
  void on_initiation_sent(MonoTime now, Duration jitter);
  // Our initiation was answered.
  void on_handshake_done();
  void on_session_made(MonoTime now) { erase_keys_.arm(now + 3 * kRejectAfterTime); }

  bool handshake_running() const { return handshake_started_ != kNever; }

  // Takes every deadline that has passed. Calling early, late or twice is harmless as long as the
  // caller acts on what is due: a keepalive that was sent, or could not be, clears its stamp.
  Due handle_timeout(MonoTime now, const TrafficStamps& stamps);
  MonoTime next_timeout(const TrafficStamps& stamps) const;

 private:
  MonoTime keepalive_at(const TrafficStamps& stamps) const;
  MonoTime new_handshake_at(const TrafficStamps& stamps) const;
  MonoTime persistent_keepalive_at(const TrafficStamps& stamps) const;

  Deadline retransmit_;
  Deadline erase_keys_;
  MonoTime handshake_started_ = kNever;
  Duration jitter_{};
  Duration persistent_interval_{};
  MonoTime persistent_not_before_{};
};

}  // namespace ginnel::wg

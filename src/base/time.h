// Time as a value that callers pass in, and deadlines.
#pragma once

#include <chrono>
#include <cstdint>

namespace ginnel {

using namespace std::chrono_literals;

// Monotonic time as core/ sees it. There is deliberately no now(): only os::Clock can mint one, so
// a state machine that wants the time has to be told it.
struct MonoClock {
  using duration = std::chrono::nanoseconds;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<MonoClock>;
  static constexpr bool is_steady = true;
};
using MonoTime = MonoClock::time_point;
using Duration = MonoClock::duration;

inline constexpr MonoTime kNever = MonoTime::max();

// Wall-clock time: nanoseconds since 1970 UTC. For handshake timestamps and what people read; no
// decision about intervals may rest on it, because it can jump.
struct UnixClock {
  using duration = std::chrono::nanoseconds;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<UnixClock>;
  static constexpr bool is_steady = false;
};
using UnixTime = UnixClock::time_point;

// Both clocks, read at the same moment.
struct Now {
  MonoTime mono;
  UnixTime unix;
};

// A point in time that is either armed or not. The unit of every protocol timer.
class Deadline {
 public:
  void arm(MonoTime at) { at_ = at; }
  void arm_if_idle(MonoTime at) {
    if (!armed()) at_ = at;
  }
  void disarm() { at_ = kNever; }
  bool armed() const { return at_ != kNever; }
  MonoTime at() const { return at_; }

  // Returns true, and disarms, when the deadline has passed.
  bool take_if_due(MonoTime now) {
    if (!armed() || now < at_) return false;
    disarm();
    return true;
  }

 private:
  MonoTime at_ = kNever;
};

}  // namespace ginnel

// How much of its time a thread has worked of late, and whether it was let run when it had to.
#pragma once

#include "base/time.h"

namespace ginnel::tunnel {

class LoadWindow {
 public:
  enum class Load : std::uint8_t {
    Light,
    Delayed,  // Light, and others kept it from running.
    Heavy,
  };

  // So long may who was idle work before it counts as heavy.
  static constexpr Duration kLength = 10ms;
  // Heavy is more than one part in so many.
  static constexpr int kParts = 10;
  // More than this in a window is not what waking up takes.
  static constexpr Duration kDelay = 300us;
  // For so long it counts as delayed then: who comes before all others cannot see whether he still
  // would have to wait.
  static constexpr Duration kDelayedFor = 1s;

  bool ended(MonoTime now) const { return now - begun_ >= kLength; }
  // Begins the next window and says what the one before was. `cpu_time` is what the thread has used
  // in its life, `waited` how long it was ready to run and did not. REQUIRES: ended(now).
  Load next(MonoTime now, Duration cpu_time, Duration waited) {
    const bool heavy = (cpu_time - cpu_time_) * kParts > now - begun_;
    if (waited - waited_ > kDelay) delayed_until_ = now + kDelayedFor;
    begun_ = now;
    cpu_time_ = cpu_time;
    waited_ = waited;
    if (heavy) return Load::Heavy;
    return now < delayed_until_ ? Load::Delayed : Load::Light;
  }

 private:
  MonoTime begun_{};
  Duration cpu_time_{};
  Duration waited_{};
  MonoTime delayed_until_{};
};

}  // namespace ginnel::tunnel

// How much of its time a thread has worked of late.
#pragma once

#include "base/time.h"

namespace ginnel::tunnel {

class LoadWindow {
 public:
  enum class Load : std::uint8_t { Light, Heavy };

  // So long may who was idle work before it counts as heavy.
  static constexpr Duration kLength = 10ms;
  // Heavy is more than one part in so many. Of less, 500 packets a second on a busy machine would
  // now and then be more.
  static constexpr int kParts = 10;

  bool ended(MonoTime now) const { return now - begun_ >= kLength; }
  // Begins the next window and says what the one before was. `cpu_time` is what the thread has used
  // in its life. REQUIRES: ended(now).
  Load next(MonoTime now, Duration cpu_time) {
    const bool heavy = (cpu_time - cpu_time_) * kParts > now - begun_;
    begun_ = now;
    cpu_time_ = cpu_time;
    return heavy ? Load::Heavy : Load::Light;
  }

 private:
  MonoTime begun_{};
  Duration cpu_time_{};
};

}  // namespace ginnel::tunnel

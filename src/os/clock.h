// The only source of MonoTime. Shells read it once a turn and hand the value on.
#pragma once

#include "base/time.h"

namespace ginnel::os {

class Clock {
 public:
  // Monotonic time counts while the machine sleeps: a session key that is three minutes old after
  // a night in the bag is expired. Wall-clock time is that of the last timer tick (at most 10 ms
  // old), which costs a fifth of an exact reading. About 40 ns, no system call.
  Now now() const { return {mono(), unix_coarse()}; }
  MonoTime mono() const;

  // Exact wall-clock time, for what is compared with another machine's clock.
  UnixTime unix_exact() const;

 private:
  static UnixTime unix_coarse();
};

}  // namespace ginnel::os

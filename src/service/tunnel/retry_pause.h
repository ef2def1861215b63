// How long a source of packets that failed is left alone before it is tried again: longer with each
// failure in a row. What is wrong with it must neither end the tunnel nor keep a core busy.
#pragma once

#include <algorithm>

#include "base/time.h"

namespace ginnel::tunnel {

class RetryPause {
 public:
  static constexpr Duration kFirst = 1ms;
  static constexpr Duration kMax = 1s;

  void begin(MonoTime now) {
    until_.arm(now + next_);
    next_ = std::min(next_ * 2, kMax);
  }
  // It works again.
  void forget_failures() { next_ = kFirst; }

  MonoTime until() const { return until_.at(); }  // kNever: there is no pause.
  // Returns true, once, when the pause is over.
  bool take_if_over(MonoTime now) { return until_.take_if_due(now); }

 private:
  Duration next_ = kFirst;
  Deadline until_;
};

}  // namespace ginnel::tunnel

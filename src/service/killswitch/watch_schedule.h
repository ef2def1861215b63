// When the watcher of a kill switch looks at it again, and what it need not say twice. Pure: told
// the time and what was seen.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/time.h"

namespace ginnel::killswitch {

class WatchSchedule {
 public:
  // Also without an event: settings change without one, and one can be lost.
  static constexpr Duration kLookInterval = 10s;
  // While servers may be asked in clear: who asks can be killed.
  static constexpr Duration kAskingInterval = 1s;
  // After a failure: somebody else may hold the turn.
  static constexpr Duration kRetryInterval = 200ms;

  // A look begins; what follows brings the next one forward.
  void begin(MonoTime now) { next_ = now + kLookInterval; }
  // Whether a change that is to be confirmed until `deadline` goes back now.
  bool goes_back(MonoTime now, std::optional<MonoTime> deadline);
  void look_within(MonoTime now, Duration interval) { look_at(now + interval); }
  // Whether all was done. What cannot be done at once is tried again soon, then less often: what
  // hinders it may last.
  void note_outcome(MonoTime now, bool done);

  MonoTime next_look() const { return next_; }

 private:
  void look_at(MonoTime at);

  MonoTime next_{};
  bool has_failed_ = false;  // At the last look, too.
};

// Each alarm is told once, for as long as it lasts.
class ToldAlarms {
 public:
  // Those of `alarms`, all that there are, which have yet to be told.
  std::vector<std::string> take_new(const std::vector<std::string>& alarms);

 private:
  std::vector<std::string> lasting_;
};

}  // namespace ginnel::killswitch

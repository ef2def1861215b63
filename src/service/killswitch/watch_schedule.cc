#include "service/killswitch/watch_schedule.h"

#include <algorithm>
#include <utility>

namespace ginnel::killswitch {

bool WatchSchedule::goes_back(MonoTime now, std::optional<MonoTime> deadline) {
  if (!deadline) return false;
  if (now >= *deadline) return true;
  look_at(*deadline);
  return false;
}

void WatchSchedule::note_outcome(MonoTime now, bool done) {
  if (!std::exchange(has_failed_, !done) && !done) look_within(now, kRetryInterval);
}

void WatchSchedule::look_at(MonoTime at) { next_ = std::min(next_, at); }

std::vector<std::string> ToldAlarms::take_new(const std::vector<std::string>& alarms) {
  std::vector<std::string> fresh;
  std::ranges::copy_if(alarms, std::back_inserter(fresh), [&](const std::string& alarm) {
    return std::ranges::find(lasting_, alarm) == lasting_.end();
  });
  lasting_ = alarms;
  return fresh;
}

}  // namespace ginnel::killswitch

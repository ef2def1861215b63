#include "service/quick/interruption.h"

#include "os/clock.h"

namespace ginnel::quick {
namespace {

constexpr std::uint64_t kSignals = 0;
constexpr std::uint64_t kOther = 1;

}  // namespace

Result<Interruption> Interruption::create() {
  auto signals = os::SignalFd::create();
  if (!signals) return pass(std::move(signals));
  auto poller = os::Poller::create();
  if (!poller) return pass(std::move(poller));
  if (Status added = poller->add(signals->fd(), kSignals, os::Interest::Read); !added) {
    return pass(std::move(added));
  }
  return Interruption(std::move(*signals), std::move(*poller));
}

Status Interruption::check() { return wait(Duration::zero()); }

Status Interruption::wait(Duration time) {
  const os::Clock clock;
  const MonoTime end = clock.mono() + time;
  for (;;) {
    while (const auto signal = signals_.take()) {
      hung_up_ |= signal == os::Signal::Reload;
      came_ |= signal == os::Signal::Stop || (ends_on_hangup_ && signal == os::Signal::Reload);
    }
    if (came_) return fail(ErrorCode::Io, "stopped by a signal");
    if (clock.mono() >= end) return ok();
    for (const os::Ready& ready : poller_.wait_until(end)) {
      if (ready.token == kOther) return check();
    }
  }
}

void Interruption::note(const os::CommandEnd& end) {
  hung_up_ |= end.hung_up;
  came_ |= end.interrupted || (ends_on_hangup_ && end.hung_up);
}

Status Interruption::wait_for(int fd, Duration time) {
  if (Status added = poller_.add(fd, kOther, os::Interest::Read); !added) return added;
  Status waited = wait(time);
  if (Status removed = poller_.remove(fd); !removed) return removed;
  return waited;
}

}  // namespace ginnel::quick

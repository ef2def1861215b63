#include "service/quick/interruption.h"

#include "os/clock.h"

namespace ginnel::quick {

Result<Interruption> Interruption::create() {
  auto signals = os::SignalFd::create();
  if (!signals) return pass(std::move(signals));
  auto poller = os::Poller::create();
  if (!poller) return pass(std::move(poller));
  if (Status added = poller->add(signals->fd(), 0, os::Interest::Read); !added) {
    return pass(std::move(added));
  }
  return Interruption(std::move(*signals), std::move(*poller));
}

Status Interruption::check() { return wait(Duration::zero()); }

Status Interruption::wait(Duration time) {
  const os::Clock clock;
  const MonoTime end = clock.mono() + time;
  for (;;) {
    while (const auto signal = signals_.take()) came_ |= signal == os::Signal::Stop;
    if (came_) return fail(ErrorCode::Io, "stopped by a signal");
    if (clock.mono() >= end) return ok();
    poller_.wait_until(end);
  }
}

}  // namespace ginnel::quick

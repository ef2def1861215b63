// Whether somebody asked this process to stop, and waits that end early then. A tunnel that is
// coming up is taken down again, by the same way as after a failure.
#pragma once

#include <utility>

#include "base/result.h"
#include "os/child_process.h"
#include "os/poller.h"
#include "os/signal_fd.h"

namespace ginnel::quick {

class Interruption {
 public:
  // From then on SIGTERM and SIGINT do not end the process by themselves: it has to look.
  static Result<Interruption> create();

  // Fails when we were asked to stop, now or before.
  Status check();
  // The same, but waits up to `time`.
  Status wait(Duration time);
  // The same, but also ends, without an error, when there is something to read.
  Status wait_for(int fd, Duration time);
  // A terminal that goes away asks to stop as well.
  void end_on_hangup() { ends_on_hangup_ = true; }
  // From here on, only being asked again counts: what was asked for is being done.
  void begin_again() { came_ = false; }
  // What a program that ran meanwhile has seen of signals.
  void note(const os::CommandEnd& end);
  // Whether SIGHUP came since this was asked last, whoever waited then.
  bool take_reload() { return std::exchange(hung_up_, false); }

  const os::SignalFd& signals() const { return signals_; }

 private:
  Interruption(os::SignalFd signals, os::Poller poller)
      : signals_(std::move(signals)), poller_(std::move(poller)) {}

  os::SignalFd signals_;
  os::Poller poller_;
  bool came_ = false;
  bool hung_up_ = false;
  bool ends_on_hangup_ = false;
};

}  // namespace ginnel::quick

// Signals as events of a Poller, so that nothing ever runs in a signal handler.
#pragma once

#include <cstdint>
#include <optional>

#include "base/result.h"
#include "os/fd.h"

namespace ginnel::os {

enum class Signal : std::uint8_t {
  Stop,    // SIGTERM, SIGINT
  Reload,  // SIGHUP
  Child,   // SIGCHLD: at least one has ended.
};

class SignalFd {
 public:
  // Catches the signals of Signal from here on, in this thread and those that it starts later: call
  // it before there are others. Also ignores SIGPIPE, so that a closed connection is an error of
  // the write. Programs that are started get the usual signals back (see restore_signals()).
  static Result<SignalFd> create();

  // The next signal that came, if any. Equal ones that came together are one.
  std::optional<Signal> take() const;

  int fd() const { return fd_.get(); }

 private:
  explicit SignalFd(Fd fd) : fd_(std::move(fd)) {}

  Fd fd_;
};

// In a child between fork() and exec(): undoes what create() did. Safe there.
void restore_signals();

}  // namespace ginnel::os

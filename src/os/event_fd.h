// A flag that wakes a thread which waits in a Poller. Any thread may raise it.
#pragma once

#include "base/result.h"
#include "os/fd.h"

namespace ginnel::os {

class EventFd {
 public:
  static Result<EventFd> create();

  // Readable from now on. Raising it twice is as once. Never blocks; safe in a signal handler.
  void raise() const;
  // Lowers it; returns whether it was raised. Lower first and then look at what it announced, so
  // that an announcement in between is seen in the next turn.
  bool take() const;

  int fd() const { return fd_.get(); }

 private:
  explicit EventFd(Fd fd) : fd_(std::move(fd)) {}

  Fd fd_;
};

}  // namespace ginnel::os

// Signals that are meant for a program which this process started and stands for: `ginnel cage`,
// which the shell takes for the command in it.
#pragma once

#include <memory>
#include <optional>

#include "base/result.h"
#include "os/fd.h"

namespace ginnel::os {

class RelayedSignals {
 public:
  // Catches those that ask a program for something (TERM, INT, HUP, QUIT, USR1, USR2) and CHLD,
  // from here on, in this thread and those that it starts later. Stopping and continuing are left
  // to the kernel, which does it to all processes of a job.
  static Result<RelayedSignals> create();
  ~RelayedSignals();
  RelayedSignals(RelayedSignals&& other) noexcept;
  RelayedSignals& operator=(RelayedSignals&& other) noexcept;

  struct Came {
    int number = 0;
    bool is_child = false;  // Some process has ended.
    // Sent by a process. What a terminal sends reaches the program by itself.
    bool from_process = false;
  };
  std::optional<Came> take() const;
  int fd() const { return fd_.get(); }

  // In a child between fork() and exec(): signals are as they were before create(). Safe there.
  void give_back() const;

 private:
  struct Before;
  RelayedSignals(Fd fd, std::unique_ptr<Before> before);

  Fd fd_;
  std::unique_ptr<Before> before_;
};

}  // namespace ginnel::os

// How a data thread stands towards others that want its CPU: what is little is done at once, what
// is much takes its turn, as the kernel does with its own network, in interrupts first and then in
// a thread.
#pragma once

#include "os/process.h"
#include "service/tunnel/load_window.h"

namespace ginnel::tunnel {

// Without the right to it the thread runs like any other.
class ThreadPriority {
 public:
  // Programs wait for the tunnel, not the reverse: it comes before them.
  static constexpr int kNice = -10;
  // With little to do it comes before others of its kind too: what it carries must not wait for a
  // busy peer's thread. Where it had to wait all the same it comes before everybody. Not always,
  // because the kernel wakes such a thread on the CPU where it ran last instead of the waker's,
  // which is going idle: 40 us more for every ping on a virtual machine.
  static constexpr int kLightNice = -20;

  // The thread itself, at its start.
  void begin();
  // And in every turn.
  void judge(MonoTime now) {
    if (load_.ended(now)) change(now);
  }

 private:
  void change(MonoTime now);

  LoadWindow load_;
  LoadWindow::Load load_now_ = LoadWindow::Load::Heavy;
  os::RunQueueTime waited_;
};

}  // namespace ginnel::tunnel

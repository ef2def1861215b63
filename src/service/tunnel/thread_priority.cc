#include "service/tunnel/thread_priority.h"

namespace ginnel::tunnel {

void ThreadPriority::begin() {
  waited_ = os::RunQueueTime::of_this_thread();
  os::set_thread_nice(kNice);
}

void ThreadPriority::change(MonoTime now) {
  const LoadWindow::Load load = load_.next(now, os::thread_cpu_time(), waited_.read());
  if (load == load_now_) return;
  load_now_ = load;
  if (load == LoadWindow::Load::Delayed && os::set_thread_real_time()) return;
  os::set_thread_nice(load == LoadWindow::Load::Heavy ? kNice : kLightNice);
}

}  // namespace ginnel::tunnel

#include "os/signal_fd.h"

#include <errno.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "os/os_error.h"

namespace ginnel::os {
namespace {

sigset_t caught_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int number : {SIGTERM, SIGINT, SIGHUP, SIGCHLD}) sigaddset(&set, number);
  return set;
}

}  // namespace

Result<SignalFd> SignalFd::create() {
  const sigset_t set = caught_signals();
  // Fails only for wrong arguments.
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  signal(SIGPIPE, SIG_IGN);
  Fd fd(signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC));
  if (!fd) return os_fail("signalfd", errno);
  return SignalFd(std::move(fd));
}

std::optional<Signal> SignalFd::take() const {
  signalfd_siginfo info{};
  if (read(fd_.get(), &info, sizeof info) != sizeof info) return std::nullopt;
  switch (info.ssi_signo) {
    case SIGHUP:
      return Signal::Reload;
    case SIGCHLD:
      return Signal::Child;
    default:
      return Signal::Stop;
  }
}

void restore_signals() {
  signal(SIGPIPE, SIG_DFL);
  const sigset_t set = caught_signals();
  pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
}

}  // namespace ginnel::os

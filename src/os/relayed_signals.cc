#include "os/relayed_signals.h"

#include <errno.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "os/os_error.h"

namespace ginnel::os {

struct RelayedSignals::Before {
  sigset_t mask{};
  struct sigaction pipe{};
};

RelayedSignals::RelayedSignals(Fd fd, std::unique_ptr<Before> before)
    : fd_(std::move(fd)), before_(std::move(before)) {}
RelayedSignals::~RelayedSignals() = default;
RelayedSignals::RelayedSignals(RelayedSignals&& other) noexcept = default;
RelayedSignals& RelayedSignals::operator=(RelayedSignals&& other) noexcept = default;

Result<RelayedSignals> RelayedSignals::create() {
  auto before = std::make_unique<Before>();
  sigset_t caught;
  sigemptyset(&caught);
  for (const int number : {SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGCHLD}) {
    sigaddset(&caught, number);
  }
  // These fail only for wrong arguments.
  pthread_sigmask(SIG_BLOCK, &caught, &before->mask);
  sigaction(SIGPIPE, nullptr, &before->pipe);
  Fd fd(signalfd(-1, &caught, SFD_NONBLOCK | SFD_CLOEXEC));
  if (!fd) return os_fail("signalfd", errno);
  return RelayedSignals(std::move(fd), std::move(before));
}

std::optional<RelayedSignals::Came> RelayedSignals::take() const {
  signalfd_siginfo info{};
  if (read(fd_.get(), &info, sizeof info) != sizeof info) return std::nullopt;
  return Came{.number = static_cast<int>(info.ssi_signo),
              .is_child = info.ssi_signo == SIGCHLD,
              .from_process = info.ssi_code != SI_KERNEL};
}

void RelayedSignals::give_back() const {
  sigaction(SIGPIPE, &before_->pipe, nullptr);
  pthread_sigmask(SIG_SETMASK, &before_->mask, nullptr);
}

}  // namespace ginnel::os

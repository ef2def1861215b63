#include "os/signal_fd.h"

#include <gtest/gtest.h>
#include <signal.h>

#include "in_child.h"
#include "os/poller.h"

namespace ginnel::os {
namespace {

// Each runs in a child, because signal masks are for ever.

TEST(SignalFd, ReportsWhatTheyMean) {
  struct Row {
    int number;
    Signal meaning;
  };
  for (const Row& row : {Row{SIGTERM, Signal::Stop}, Row{SIGINT, Signal::Stop},
                         Row{SIGHUP, Signal::Reload}, Row{SIGCHLD, Signal::Child}}) {
    SCOPED_TRACE(row.number);
    EXPECT_EQ(in_child([&] {
                const auto signals = SignalFd::create();
                auto poller = Poller::create();
                if (!signals || !poller->add(signals->fd(), 1, Interest::Read)) return 1;
                if (signals->take()) return 2;
                kill(getpid(), row.number);
                if (poller->wait_until(kNever).size() != 1) return 3;
                if (signals->take() != row.meaning) return 4;
                return signals->take() ? 5 : 0;
              }),
              0);
  }
}

TEST(SignalFd, MakesAClosedPipeAnErrorOfTheWrite) {
  EXPECT_EQ(in_child([] {
              const auto signals = SignalFd::create();
              int ends[2];
              if (!signals || pipe(ends) != 0) return 1;
              close(ends[0]);
              return write(ends[1], "x", 1) == -1 && errno == EPIPE ? 0 : 2;
            }),
            0);
}

TEST(SignalFd, IsUndoneForProgramsThatAreStarted) {
  EXPECT_EQ(in_child([] {
              const auto signals = SignalFd::create();
              if (!signals) return 1;
              restore_signals();
              sigset_t blocked;
              struct sigaction pipe_action{};
              pthread_sigmask(SIG_BLOCK, nullptr, &blocked);
              sigaction(SIGPIPE, nullptr, &pipe_action);
              return !sigismember(&blocked, SIGTERM) && !sigismember(&blocked, SIGCHLD) &&
                             pipe_action.sa_handler == SIG_DFL
                         ? 0
                         : 2;
            }),
            0);
}

}  // namespace
}  // namespace ginnel::os

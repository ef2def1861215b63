#include "os/relayed_signals.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include "os/forked_process.h"

namespace ginnel::os {
namespace {

TEST(RelayedSignals, TellWhoSentThem) {
  const auto signals = RelayedSignals::create().value();
  EXPECT_FALSE(signals.take());
  ::kill(::getpid(), SIGUSR1);
  const auto came = signals.take();
  ASSERT_TRUE(came);
  EXPECT_EQ(came->number, SIGUSR1);
  EXPECT_TRUE(came->from_process);
  EXPECT_FALSE(came->is_child);
  signals.give_back();
  sigset_t mask;
  pthread_sigmask(SIG_BLOCK, nullptr, &mask);
  EXPECT_FALSE(sigismember(&mask, SIGUSR1));
}

TEST(ForkedProcess, TellsHowItEndedAsAShellDoes) {
  const auto code_of = [](const std::vector<std::string>& words) {
    const pid_t child = fork_process().value();
    if (child == 0) {
      const ExecFailure failure = become(words);
      end_at_once(failure.exit_code);
    }
    return await_exit_code(child);
  };
  EXPECT_EQ(code_of({"sh", "-c", "exit 7"}), 7);
  EXPECT_EQ(code_of({"sh", "-c", "kill -KILL $$"}), 137);
  EXPECT_EQ(code_of({"no-such-program-anywhere"}), 127);
  EXPECT_EQ(code_of({"/etc/passwd"}), 126);
}

TEST(ForkedProcess, HasNoDescriptorsButThoseItKeeps) {
  const pid_t child = fork_process().value();
  if (child == 0) {
    const int kept = ::dup2(0, 77);
    ::dup2(0, 78);
    close_all_but({kept});
    const ExecFailure failure =
        become({"sh", "-c", "test -e /proc/self/fd/77 && ! test -e /proc/self/fd/78"});
    end_at_once(failure.exit_code);
  }
  EXPECT_EQ(await_exit_code(child), 0);
}

}  // namespace
}  // namespace ginnel::os

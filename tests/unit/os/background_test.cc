#include "os/background.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <thread>

#include "in_child.h"
#include "os/process.h"
#include "temporary_directory.h"

namespace ginnel::os {
namespace {

// Plays a command that goes to the background; returns what its parent ends with. `child` is what
// the background process does, until it exits.
template <class Child>
int run_command(std::string& message, Child child) {
  int ends[2];
  if (pipe(ends) != 0) return -1;
  const int code = in_child([&] {
    auto background = Background::split();
    if (!background) return 100;
    if (background->is_child()) {
      close(ends[0]);
      close(ends[1]);
      child(*background);
      _exit(0);
    }
    const Background::Verdict verdict = background->await();
    if (write(ends[1], verdict.message.data(), verdict.message.size()) < 0) return 101;
    return verdict.exit_code;
  });
  close(ends[1]);
  char text[8192];
  const ssize_t size = read(ends[0], text, sizeof text);
  message.assign(text, size > 0 ? static_cast<std::size_t>(size) : 0);
  close(ends[0]);
  return code;
}

// Ends when every process that inherited the other end has ended.
void await_end(int read_end) {
  pollfd waiting{.fd = read_end, .events = POLLIN, .revents = 0};
  ASSERT_EQ(poll(&waiting, 1, 10'000), 1);
  char byte;
  EXPECT_EQ(read(read_end, &byte, 1), 0);
}

TEST(Background, LetsTheParentGoOnlyWhenItIsReady) {
  TemporaryDirectory directory;
  std::string message;
  const int code = run_command(message, [&](Background& background) {
    write_contents(directory / "ready", "");
    if (!background.ready()) _exit(1);
  });
  EXPECT_EQ(code, 0);
  EXPECT_EQ(message, "");
  EXPECT_TRUE(std::filesystem::exists(directory / "ready"));
}

TEST(Background, ClosesWhatItsCallerHadOpen) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  std::string message;
  const int code = run_command(message, [&](Background& background) {
    background.close_inherited();
    const bool closed = fcntl(ends[0], F_GETFD) < 0 && fcntl(ends[1], F_GETFD) < 0;
    if (!closed) return background.failed({.exit_code = 9, .message = "still open"});
    if (!background.ready()) _exit(1);
  });
  EXPECT_EQ(code, 0) << message;
  close(ends[0]);
  close(ends[1]);
}

TEST(Background, ForwardsTheErrorAndTheExitCode) {
  std::string message;
  EXPECT_EQ(run_command(message,
                        [](Background& background) {
                          background.failed({.exit_code = 7, .message = "wg0: port in use"});
                        }),
            7);
  EXPECT_EQ(message, "wg0: port in use");
}

TEST(Background, ReportsAChildThatDiedWithoutAWord) {
  for (const bool by_signal : {false, true}) {
    std::string message;
    EXPECT_EQ(run_command(message,
                          [&](Background&) {
                            if (by_signal) kill(getpid(), SIGKILL);
                            _exit(0);
                          }),
              Background::kSilentExitCode);
    EXPECT_EQ(message, "the background process ended before it was ready");
  }
}

TEST(Background, CutsAMessageThatIsTooLong) {
  constexpr std::size_t kMost = Background::kMaxMessageBytes;
  for (const std::size_t length : {kMost - 1, kMost, kMost + 1}) {
    std::string message;
    EXPECT_EQ(run_command(message,
                          [&](Background& background) {
                            background.failed({3, std::string(length, 'x')});
                          }),
              3);
    EXPECT_EQ(message, std::string(std::min(length, kMost), 'x'));
  }
}

TEST(Background, ClosesTheTerminalAndLeavesTheDirectoryAndTheSession) {
  TemporaryDirectory directory;
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);  // Stands for the script that reads what the command prints.
  int stays[2], alive[2];
  ASSERT_EQ(pipe(stays), 0);  // Ends the daemon.
  ASSERT_EQ(pipe(alive), 0);  // Open for as long as it lives.
  std::string message;
  const pid_t session = getsid(0);
  EXPECT_EQ(run_command(message,
                        [&](Background& background) {
                          dup2(ends[1], STDOUT_FILENO);
                          dup2(ends[1], STDERR_FILENO);
                          close(ends[0]);
                          close(ends[1]);
                          const Fd log(open((directory / "log").c_str(), O_WRONLY | O_CREAT, 0600));
                          if (!background.ready(log)) _exit(1);
                          char cwd[64] = "";
                          const bool as_promised = getcwd(cwd, sizeof cwd) != nullptr &&
                                                   std::string_view(cwd) == "/" &&
                                                   getsid(0) != session && getsid(0) != getpid();
                          const std::string_view word = as_promised ? "fine" : "wrong";
                          if (write(STDERR_FILENO, word.data(), word.size()) < 0) _exit(1);
                          char byte;
                          while (read(stays[0], &byte, 1) < 0) {
                          }
                          _exit(0);
                        }),
            0);
  close(ends[1]);
  await_end(ends[0]);  // Though the daemon still lives: a script does not hang on it.
  ASSERT_EQ(write(stays[1], "x", 1), 1);
  close(alive[1]);
  await_end(alive[0]);
  EXPECT_EQ(contents_of(directory / "log"), "fine");
  for (const int fd : {ends[0], stays[0], stays[1], alive[0]}) close(fd);
}

// A command whose child does not get on until it is let, and the signals that its parent gives up
// at.
class SlowStart {
 public:
  explicit SlowStart(bool gives_up) {
    EXPECT_EQ(pipe(go_), 0);
    EXPECT_EQ(pipe(alive_), 0);
    command_ = fork();
    if (command_ == 0) play(gives_up);
    close(alive_[1]);
    char byte;
    EXPECT_EQ(read(alive_[0], &byte, 1), 1);  // The child is there.
  }
  ~SlowStart() {
    for (const int fd : {go_[0], go_[1], alive_[0]}) close(fd);
  }

  void signal(int number) const { kill(command_, number); }
  // Until the parent has taken the signal that it was sent, and waits again.
  void await_heed(int number) const {
    while ((std::stoull(status("ShdPnd"), nullptr, 16) >> (number - 1) & 1) != 0) {
      std::this_thread::yield();
    }
    while (status("State").front() != 'S') std::this_thread::yield();
  }
  void let_go() const { EXPECT_EQ(write(go_[1], "x", 1), 1); }
  int await_command() const {
    int status = 0;
    EXPECT_EQ(waitpid(command_, &status, 0), command_);
    return status;
  }
  void await_child() const { await_end(alive_[0]); }
  std::string said() const { return contents_of(directory_ / "result"); }
  bool has_said() const { return std::filesystem::exists(directory_ / "result"); }

 private:
  // A line of what the kernel shows of the parent.
  std::string status(std::string_view name) const {
    std::ifstream file(fmt::format("/proc/{}/status", command_));
    for (std::string line; std::getline(file, line);) {
      if (line.starts_with(name)) return line.substr(line.find('\t') + 1);
    }
    return "?";
  }
  [[noreturn]] void play(bool gives_up) {
    close(alive_[0]);
    const auto signals = gives_up ? std::optional(SignalFd::create()) : std::nullopt;
    auto background = Background::split();
    if (!background || (signals && !*signals)) _exit(1);
    if (!background->is_child()) {
      close(alive_[1]);
      const auto verdict = background->await(signals ? &**signals : nullptr);
      // Whatever the child does before it ends is done by now.
      _exit(has_said() ? verdict.exit_code : 99);
    }
    if (write(alive_[1], "x", 1) != 1) _exit(1);
    char byte;
    if (read(go_[0], &byte, 1) != 1) _exit(1);
    const Status ready = background->ready();
    write_contents(directory_ / "result", ready ? "ready" : ready.error().message);
    _exit(0);
  }

  TemporaryDirectory directory_;
  int go_[2], alive_[2];
  pid_t command_;
};

TEST(Background, LearnsThatNobodyWaitsAnyMore) {
  const SlowStart start(false);
  start.signal(SIGINT);  // The user gives up.
  EXPECT_TRUE(WIFSIGNALED(start.await_command()));
  start.let_go();
  start.await_child();
  EXPECT_EQ(start.said(), "whoever started this background process is gone");
}

TEST(Background, IsAwaitedByAParentThatGivesUp) {
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
    const SlowStart start(true);
    start.signal(number);
    start.await_heed(number);
    start.signal(number);  // Impatience does not leave the child alone either.
    start.let_go();
    const int status = start.await_command();
    EXPECT_TRUE(WIFEXITED(status));
    EXPECT_EQ(WEXITSTATUS(status), Background::kSilentExitCode);
    EXPECT_EQ(start.said(), "whoever started this background process is gone");
  }
}

}  // namespace
}  // namespace ginnel::os

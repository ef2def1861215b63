#include "os/descriptor_guardian.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os/clock.h"
#include "os/unix_socket.h"
#include "temporary_directory.h"
#include "unit/os/private_network.h"

namespace ginnel::os {
namespace {

std::pair<dev_t, ino_t> identity(const Fd& fd) {
  struct stat status{};
  EXPECT_EQ(::fstat(fd.get(), &status), 0);
  return {status.st_dev, status.st_ino};
}

Fd some_file(const TemporaryDirectory& directory) {
  return Fd(::open((directory / "kept").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
}

TEST(Guardian, GivesOutWhatItHolds) {
  const TemporaryDirectory directory;
  const std::string path = directory / "guardian.sock";
  Fd file = some_file(directory);
  const auto expected = identity(file);
  ASSERT_TRUE(start_guardian(path, file));
  file.close();
  for (int i = 0; i < 3; ++i) {
    const auto borrowed = borrow_from_guardian(path);
    ASSERT_TRUE(borrowed) << borrowed.error().message;
    ASSERT_TRUE(*borrowed);
    EXPECT_EQ(identity(**borrowed), expected);
  }
  ASSERT_TRUE(dismiss_guardian(path));
  EXPECT_FALSE(*borrow_from_guardian(path));
}

pid_t process_at(const std::string& path) { return UnixStream::connect(path)->credentials()->pid; }

TEST(Guardian, IsStartedOnceForWhatItHolds) {
  const TemporaryDirectory directory;
  const std::string path = directory / "guardian.sock";
  const Fd file = some_file(directory);
  const Fd other(::open("/dev/null", O_RDWR | O_CLOEXEC));
  ASSERT_TRUE(start_guardian(path, file));
  const pid_t first = process_at(path);
  ASSERT_TRUE(start_guardian(path, Fd(::fcntl(file.get(), F_DUPFD_CLOEXEC, 0))));
  EXPECT_EQ(process_at(path), first);
  ASSERT_TRUE(start_guardian(path, other));
  EXPECT_NE(process_at(path), first);
  EXPECT_EQ(identity(**borrow_from_guardian(path)), identity(other));
  EXPECT_TRUE(dismiss_guardian(path));
}

// Killed at a hundred moments of starting one: whoever has begun to live comes to listen.
TEST(Guardian, StaysWhenWhoStartedItIsKilled) {
  const TemporaryDirectory directory;
  const std::string path = directory / "guardian.sock";
  const Fd file = some_file(directory);
  ASSERT_EQ(::prctl(PR_SET_CHILD_SUBREAPER, 1), 0);  // To see what becomes of its processes.
  for (int moment = 0; moment < 100; ++moment) {
    SCOPED_TRACE(moment);
    const pid_t starter = ::fork();
    if (starter == 0) ::_exit(start_guardian(path, file) ? 0 : 1);
    const Clock clock;
    const MonoTime end = clock.mono() + moment * std::chrono::microseconds(20);
    while (clock.mono() < end) {
    }
    ::kill(starter, SIGKILL);
    ASSERT_EQ(::waitpid(starter, nullptr, 0), starter);
    bool answers = false;
    ASSERT_TRUE(eventually([&] {
      if (::waitpid(-1, nullptr, WNOHANG) < 0) return true;  // None of its processes is left.
      answers = UnixStream::connect(path).has_value();
      return answers;
    }));
    EXPECT_TRUE(answers || ::access(path.c_str(), F_OK) != 0) << "it listened, and ended";
    ASSERT_TRUE(dismiss_guardian(path));
    while (::waitpid(-1, nullptr, 0) > 0) {
    }
  }
  ::prctl(PR_SET_CHILD_SUBREAPER, 0);
}

TEST(Guardian, IsReplacedWhenItWasKilled) {
  const TemporaryDirectory directory;
  const std::string path = directory / "guardian.sock";
  const Fd file = some_file(directory);
  ASSERT_TRUE(start_guardian(path, file));
  const pid_t guardian = UnixStream::connect(path)->credentials()->pid;
  ASSERT_EQ(::kill(guardian, SIGKILL), 0);
  ASSERT_TRUE(eventually([&] {
    const auto borrowed = borrow_from_guardian(path);
    return borrowed && !borrowed->has_value();
  }));
  ASSERT_TRUE(start_guardian(path, file));
  EXPECT_TRUE(*borrow_from_guardian(path));
  EXPECT_TRUE(dismiss_guardian(path));
}

TEST(Guardian, IsReplacedAtOnceWhenItWasDismissed) {
  const TemporaryDirectory directory;
  const std::string path = directory / "guardian.sock";
  const Fd file = some_file(directory);
  const Fd other(::open("/dev/null", O_RDWR | O_CLOEXEC));
  for (int i = 0; i < 50; ++i) {
    const Fd& kept = i % 2 == 0 ? file : other;
    ASSERT_TRUE(start_guardian(path, kept));
    const auto borrowed = borrow_from_guardian(path);
    ASSERT_TRUE(borrowed && *borrowed);
    ASSERT_EQ(identity(**borrowed), identity(kept));
    ASSERT_TRUE(dismiss_guardian(path));
  }
}

TEST(Guardian, KeepsNothingElseOpen) {
  const TemporaryDirectory directory;
  const std::string path = directory / "guardian.sock";
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const Fd reading(ends[0]);
  Fd writing(ends[1]);
  ASSERT_TRUE(start_guardian(path, some_file(directory)));
  writing.close();
  char byte;
  EXPECT_EQ(::read(reading.get(), &byte, 1), 0) << "somebody still has the other end";
  EXPECT_TRUE(dismiss_guardian(path));
}

TEST(Guardian, ThatIsNotThereIsNoFailure) {
  const TemporaryDirectory directory;
  EXPECT_TRUE(dismiss_guardian(directory / "absent.sock"));
  EXPECT_FALSE(*borrow_from_guardian(directory / "absent.sock"));
}

}  // namespace
}  // namespace ginnel::os

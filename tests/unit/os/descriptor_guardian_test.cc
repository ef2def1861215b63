#include "os/descriptor_guardian.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

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

TEST(Guardian, IsStartedOnce) {
  const TemporaryDirectory directory;
  const std::string path = directory / "guardian.sock";
  const Fd file = some_file(directory);
  const Fd other(::open("/dev/null", O_RDWR | O_CLOEXEC));
  ASSERT_TRUE(start_guardian(path, file));
  ASSERT_TRUE(start_guardian(path, other));
  EXPECT_EQ(identity(**borrow_from_guardian(path)), identity(file));
  EXPECT_TRUE(dismiss_guardian(path));
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

#include "os/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace ginnel::os {
namespace {

int open_null() { return ::open("/dev/null", O_RDONLY | O_CLOEXEC); }
bool is_open(int number) { return ::fcntl(number, F_GETFD) >= 0; }

TEST(Fd, ClosesWhenItDies) {
  int number;
  {
    const Fd fd(open_null());
    ASSERT_TRUE(fd.is_open());
    number = fd.get();
    EXPECT_TRUE(is_open(number));
  }
  EXPECT_FALSE(is_open(number));
}

TEST(Fd, IsMovedWithoutClosingAndClosesWhatItReplaces) {
  Fd first(open_null());
  const int kept = first.get();
  Fd second(open_null());
  const int replaced = second.get();

  second = std::move(first);

  EXPECT_EQ(second.get(), kept);
  EXPECT_TRUE(is_open(kept));
  EXPECT_FALSE(is_open(replaced));
  EXPECT_FALSE(first.is_open());  // NOLINT(bugprone-use-after-move): its point.
}

TEST(Fd, GivesItsNumberAway) {
  Fd fd(open_null());
  const int number = fd.release();
  EXPECT_FALSE(fd);
  fd.close();
  EXPECT_TRUE(is_open(number));
  ::close(number);
}

TEST(Fd, LeavesErrnoAlone) {
  Fd fd(1 << 20);  // Nobody's, so close() fails.
  errno = ENOENT;
  fd.close();
  EXPECT_EQ(errno, ENOENT);
}

}  // namespace
}  // namespace ginnel::os

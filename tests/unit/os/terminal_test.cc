#include "os/terminal.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "in_child.h"

namespace ginnel::os {
namespace {

TEST(Terminal, IsKnownWithItsSize) {
  EXPECT_EQ(in_child([] {
              const int terminal = posix_openpt(O_RDWR | O_NOCTTY);
              if (terminal < 0 || grantpt(terminal) != 0 || unlockpt(terminal) != 0) return 1;
              const int user_side = open(ptsname(terminal), O_RDWR | O_NOCTTY);
              const winsize size{.ws_row = 24, .ws_col = 132, .ws_xpixel = 0, .ws_ypixel = 0};
              if (user_side < 0 || ioctl(user_side, TIOCSWINSZ, &size) != 0) return 2;
              dup2(user_side, STDOUT_FILENO);
              if (!is_terminal(Stream::Output)) return 3;
              const auto seen = terminal_size(Stream::Output);
              return seen && seen->columns == 132 && seen->rows == 24 ? 0 : 4;
            }),
            0);
}

TEST(Terminal, IsNotWhatIsOnlyAFile) {
  EXPECT_EQ(in_child([] {
              const int null = open("/dev/null", O_RDWR);
              dup2(null, STDERR_FILENO);
              dup2(null, STDIN_FILENO);
              if (is_terminal(Stream::Error) || is_terminal(Stream::Input)) return 1;
              return terminal_size(Stream::Error) ? 2 : 0;
            }),
            0);
}

TEST(Terminal, HasNoSizeWhenItSaysZero) {
  EXPECT_EQ(in_child([] {
              const int terminal = posix_openpt(O_RDWR | O_NOCTTY);
              dup2(terminal, STDOUT_FILENO);
              return is_terminal(Stream::Output) && !terminal_size(Stream::Output) ? 0 : 1;
            }),
            0);
}

}  // namespace
}  // namespace ginnel::os

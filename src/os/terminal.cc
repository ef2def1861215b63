#include "os/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <utility>

namespace ginnel::os {
namespace {

int number_of(Stream stream) {
  switch (stream) {
    case Stream::Input:
      return STDIN_FILENO;
    case Stream::Output:
      return STDOUT_FILENO;
    case Stream::Error:
      return STDERR_FILENO;
  }
  std::unreachable();
}

}  // namespace

bool is_terminal(Stream stream) { return isatty(number_of(stream)) == 1; }

std::optional<TerminalSize> terminal_size(Stream stream) {
  winsize size{};
  if (ioctl(number_of(stream), TIOCGWINSZ, &size) != 0) return std::nullopt;
  if (size.ws_col == 0 || size.ws_row == 0) return std::nullopt;
  return TerminalSize{size.ws_col, size.ws_row};
}

}  // namespace ginnel::os

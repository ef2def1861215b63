#include "os/forked_process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <cstring>

#include "os/os_error.h"

namespace ginnel::os {
namespace {

int shell_code(int status) {
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

}  // namespace

Result<pid_t> fork_process() {
  const pid_t child = fork();
  if (child < 0) return os_fail("start a process", errno);
  return child;
}

bool die_with(pid_t parent) { return prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() == parent; }

void end_at_once(int exit_code) { _exit(exit_code); }

void say_and_end(std::string line, int exit_code) {
  line += "\n";
  // Who closed it does not want to hear it.
  static_cast<void>(write(STDERR_FILENO, line.data(), line.size()) < 0);
  _exit(exit_code);
}

Status fill_standard_descriptors() {
  for (int number = STDIN_FILENO; number <= STDERR_FILENO; ++number) {
    if (fcntl(number, F_GETFD) >= 0) continue;
    // The lowest free number is what it gets.
    if (open("/dev/null", O_RDWR) < 0) return os_fail("open /dev/null", errno);
  }
  return ok();
}

// close_range() is not there before Linux 5.9.
void close_all_but(std::initializer_list<int> kept) {
  unsigned first = STDERR_FILENO + 1;
  for (;;) {
    unsigned next = UINT_MAX;
    for (const int number : kept) {
      if (number >= static_cast<int>(first)) next = std::min(next, static_cast<unsigned>(number));
    }
    if (next == UINT_MAX) break;
    if (next > first) close_range(first, next - 1, 0);
    first = next + 1;
  }
  close_range(first, UINT_MAX, 0);
}

std::optional<int> exit_code_if_ended(pid_t child) {
  int status = 0;
  if (waitpid(child, &status, WNOHANG) != child) return std::nullopt;
  return shell_code(status);
}

int await_exit_code(pid_t child) {
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return shell_code(status);
}

void send_signal(pid_t child, int number) { kill(child, number); }

ExecFailure become(const std::vector<std::string>& words) {
  constexpr int kNotFound = 127;
  constexpr int kNotRunnable = 126;
  std::vector<std::string> copies = words;
  std::vector<char*> arguments;
  arguments.reserve(copies.size() + 1);
  for (std::string& word : copies) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  execvp(arguments[0], arguments.data());
  const int error = errno;
  return {.exit_code = error == ENOENT ? kNotFound : kNotRunnable,
          .reason = words[0] + ": " + strerror(error)};
}

}  // namespace ginnel::os

#include "os/child_process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

#include "base/text.h"
#include "os/os_error.h"

namespace ginnel::os {
namespace {

constexpr std::string_view kUsualPath =
    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
constexpr int kCannotStart = 127;

Result<Fd> memory_file() {
  Fd fd(memfd_create("ginnel", MFD_CLOEXEC));
  if (!fd) return os_fail("make room for what a program reads or says", errno);
  return fd;
}

std::string read_said(const Fd& fd) {
  std::string text(CommandEnd::kMaxSaid, '\0');
  const ssize_t length = pread(fd.get(), text.data(), text.size(), 0);
  text.resize(length > 0 ? static_cast<std::size_t>(length) : 0);
  return text;
}

// A file that the program can read what it is given from, whole and from the start.
Result<Fd> input_file(const std::string& text) {
  auto fd = memory_file();
  if (!fd) return fd;
  std::string_view left = text;
  while (!left.empty()) {
    const ssize_t written = write(fd->get(), left.data(), left.size());
    if (written < 0 && errno != EINTR) return os_fail("write a program's input", errno);
    if (written > 0) left.remove_prefix(static_cast<std::size_t>(written));
  }
  if (lseek(fd->get(), 0, SEEK_SET) != 0) return os_fail("rewind a program's input", errno);
  return fd;
}

std::vector<std::string> environment_of(const Command& command) {
  std::vector<std::string> all;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const auto is_replaced = [&](const auto& added) {
      return text.substr(0, text.find('=')) == added.first;
    };
    if (std::ranges::none_of(command.environment, is_replaced)) all.emplace_back(text);
  }
  for (const auto& [name, value] : command.environment) all.push_back(name + "=" + value);
  return all;
}

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

int wait_for(pid_t child) {
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

// Says what came before the child ended.
void pass_signals_on(pid_t child, const SignalFd& signals, bool completes, CommandEnd& end) {
  const Fd ended(static_cast<int>(syscall(SYS_pidfd_open, child, 0)));
  while (ended) {
    pollfd watched[] = {{.fd = ended.get(), .events = POLLIN, .revents = 0},
                        {.fd = signals.fd(), .events = POLLIN, .revents = 0}};
    if (poll(watched, 2, -1) < 0 && errno != EINTR) return;
    // It can have ended after we were asked: what came first is looked at first.
    const auto signal = watched[1].revents != 0 ? signals.take() : std::nullopt;
    const bool is_asked = signal == Signal::Stop;
    const bool was_asked = std::exchange(end.interrupted, end.interrupted || is_asked);
    end.hung_up |= signal == Signal::Reload;
    if (watched[0].revents != 0) return;
    if (is_asked && (was_asked || !completes)) {
      kill(child, SIGTERM);
      return;
    }
  }
}

}  // namespace

Result<CommandEnd> run_command(const Command& command, const SignalFd* signals) {
  const std::string& name = command.words.at(0);
  const auto program = find_program(name);
  if (!program) {
    return fail(ErrorCode::NotFound, name + ": there is no such program in PATH; install it");
  }
  Fd input;
  if (command.input) {
    auto file = input_file(*command.input);
    if (!file) return pass(std::move(file));
    input = std::move(*file);
  }
  Fd said;
  if (command.hears) {
    auto file = memory_file();
    if (!file) return pass(std::move(file));
    said = std::move(*file);
  }
  std::vector<std::string> words = command.words;
  std::vector<std::string> environment = environment_of(command);
  const std::vector<char*> arguments = pointers_to(words);
  const std::vector<char*> variables = pointers_to(environment);
  const pid_t child = fork();
  if (child < 0) return os_fail("start " + name, errno);
  if (child == 0) {
    restore_signals();
    if (command.completes) setsid();  // Away from the terminal, whose Ctrl-C is for everybody.
    if (input) dup2(input.get(), STDIN_FILENO);
    if (said) dup2(said.get(), STDERR_FILENO);
    if (command.kept >= 0) fcntl(command.kept, F_SETFD, 0);
    execve(program->c_str(), arguments.data(), variables.data());
    _exit(kCannotStart);
  }
  CommandEnd end;
  if (signals != nullptr) pass_signals_on(child, *signals, command.completes, end);
  end.exit_code = wait_for(child);
  if (said) end.said = read_said(said);
  return end;
}

std::optional<std::string> find_program(std::string_view name) {
  if (name.find('/') != std::string_view::npos) {
    std::string path(name);
    return access(path.c_str(), X_OK) == 0 ? std::optional(std::move(path)) : std::nullopt;
  }
  const char* const variable = getenv("PATH");
  for (std::string_view folder : split(variable != nullptr ? variable : kUsualPath, ':')) {
    std::string path = std::string(folder.empty() ? "." : folder) + "/" + std::string(name);
    if (access(path.c_str(), X_OK) == 0) return path;
  }
  return std::nullopt;
}

}  // namespace ginnel::os

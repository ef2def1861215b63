#include "cli/io.h"

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "base/secret.h"
#include "cli/exit_code.h"
#include "os/terminal.h"

namespace ginnel::cli {

int Io::report(std::string_view verb, const Error& error) {
  err("{}: {}", verb, error.message);
  return exit_code(error.code);
}

void ProcessIo::write_out(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
}

void ProcessIo::write_err(std::string_view text) {
  std::fflush(stdout);  // So that the two keep their order on a terminal.
  std::fwrite(text.data(), 1, text.size(), stderr);
}

Result<std::string> ProcessIo::read_in(std::size_t limit) {
  std::setvbuf(stdin, nullptr, _IONBF, 0);  // What comes in may be a key; keep no second copy.
  std::string text(limit + 1, '\0');
  text.resize(std::fread(text.data(), 1, text.size(), stdin));
  if (std::ferror(stdin)) {
    return fail(ErrorCode::Io, fmt::format("cannot read standard input: {}", std::strerror(errno)));
  }
  if (text.size() > limit) {
    return fail(ErrorCode::InvalidArgument,
                fmt::format("standard input is longer than {} bytes", limit));
  }
  return text;
}

bool ProcessIo::out_is_exposed() const {
  std::error_code error;
  const auto status = std::filesystem::status("/proc/self/fd/1", error);
  return !error && std::filesystem::is_regular_file(status) &&
         (status.permissions() & std::filesystem::perms::others_all) !=
             std::filesystem::perms::none;
}

bool ProcessIo::out_is_terminal() const { return os::is_terminal(os::Stream::Output); }

std::optional<std::string> ProcessIo::environment(const std::string& name) const {
  const char* value = std::getenv(name.c_str());
  if (value == nullptr || *value == '\0') return std::nullopt;
  return value;
}

Status ProcessIo::finish() {
  if (std::fflush(stdout) == 0 && !std::ferror(stdout)) return ok();
  return fail(ErrorCode::Io, fmt::format("cannot write standard output: {}", std::strerror(errno)));
}

}  // namespace ginnel::cli

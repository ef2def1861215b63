// Runs a program in the foreground and waits for it: the hooks of configuration files, and the few
// tools that own something of the host. Never a shell, unless that is the program.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "os/signal_fd.h"

namespace ginnel::os {

struct Command {
  std::vector<std::string> words{};  // The program, looked for in PATH, and its arguments.
  std::vector<std::pair<std::string, std::string>> environment{};  // Besides ours.
  std::optional<std::string> input{};                              // Instead of our standard input.
  bool hears = false;  // What it says on standard error is for us, not for ours.
  int kept = -1;       // One of our descriptors that it gets besides, under the same number.
  // It comes to its end although we are asked to stop, by a terminal too: what it does half would
  // be left behind. Asked again, it is ended.
  bool completes = false;
};

struct CommandEnd {
  static constexpr std::size_t kMaxSaid = 4096;

  int exit_code = 0;         // As a shell has it: 128 and the number of the signal that ended it.
  bool interrupted = false;  // We were asked to stop.
  bool hung_up = false;      // SIGHUP came meanwhile; it is not passed on.
  std::string said{};        // The first lines of what we wanted to hear, if so.
};

// Standard output is ours, and so is error unless `hears`. The program gets the usual signals, and
// no descriptors but the first three and `kept`. With `signals`, SIGTERM and SIGINT that reach us
// end the program as well.
Result<CommandEnd> run_command(const Command& command, const SignalFd* signals);

// Where PATH has the program.
std::optional<std::string> find_program(std::string_view name);

}  // namespace ginnel::os

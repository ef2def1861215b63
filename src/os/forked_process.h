// Processes made by fork(): for those that stand between this program and a command it runs.
#pragma once

#include <sys/types.h>

#include <initializer_list>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace ginnel::os {

// 0 in the child. REQUIRES: one thread.
Result<pid_t> fork_process();

// The calling process is killed when `parent`, who made it, dies. False when he is dead already.
bool die_with(pid_t parent);

// Ends the process without running anything of what the parent had prepared.
[[noreturn]] void end_at_once(int exit_code);
// The same, after a line on standard error.
[[noreturn]] void say_and_end(std::string line, int exit_code);

// Opens /dev/null in the place of standard descriptors that are closed, so that nothing else gets
// their numbers.
Status fill_standard_descriptors();
// Closes all but the standard ones and those `kept`. Safe between fork() and exec().
void close_all_but(std::initializer_list<int> kept);

// The exit code of a child that has ended, as a shell has it: 128 and the signal's number.
std::optional<int> exit_code_if_ended(pid_t child);
// The same, of a child that surely ends.
int await_exit_code(pid_t child);
void send_signal(pid_t child, int number);

// Becomes the program, which PATH finds. Comes back only when it cannot; the code is what a shell
// has then (127: there is none, 126: it may not run).
struct ExecFailure {
  int exit_code;
  std::string reason;
};
ExecFailure become(const std::vector<std::string>& words);

}  // namespace ginnel::os

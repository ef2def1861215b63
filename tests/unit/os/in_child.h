// Runs a piece of a test in a process of its own, for what would change this one for good.
#pragma once

#include <sys/wait.h>
#include <unistd.h>

#include <utility>

namespace ginnel::os {

// The exit code of a child that ran `body`, which returns one; -1 when a signal ended it.
template <class Body>
int in_child(Body&& body) {
  const pid_t child = fork();
  if (child == 0) _exit(std::forward<Body>(body)());
  int status = -1;
  if (child < 0 || waitpid(child, &status, 0) != child) return -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

}  // namespace ginnel::os

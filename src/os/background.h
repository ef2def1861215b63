// A process that goes to the background, and the one that waits until it stands there.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>

#include "base/result.h"
#include "os/fd.h"
#include "os/signal_fd.h"

namespace ginnel::os {

// The command line forks with split(). The child makes everything ready and says so; only then does
// the parent report success, so that a script may use what the child serves. When it fails, the
// parent reports its error and exit code, and nothing is left running.
class Background {
 public:
  // What a child can send. A longer message is cut off.
  static constexpr std::size_t kMaxMessageBytes = 4096;
  // Of a child that ended without a word.
  static constexpr int kSilentExitCode = 1;

  // Both sides go on from here; the child in a session of its own. REQUIRES: one thread.
  static Result<Background> split();

  bool is_child() const { return is_child_; }

  // In the child, before it opens anything: closes what the caller had open beside the standard
  // three. A daemon that kept a script's lock or pipe would hold it for its whole life.
  // `kept` stays open besides.
  void close_inherited(int kept = -1);

  struct Verdict {
    int exit_code = 0;
    std::string message;  // Why, when it is not 0: one line.
  };
  // In the parent: waits for the child's word, or its death. A signal of `signals` gives up: the
  // child's ready() fails then, and the parent waits on until it has taken everything back.
  Verdict await(const SignalFd* signals = nullptr);

  // In the child: lets the parent go, leaves the working directory and closes the terminal. What
  // goes to standard error then ends in `log`, or nowhere. Fails when nobody waits any more: the
  // user gave up, so end.
  Status ready(const Fd& log = {});
  // In the child: the parent ends with this. End with it, too.
  void failed(const Verdict& verdict);

 private:
  void give_up_at(const SignalFd& signals);
  Background(bool is_child, Fd channel) : is_child_(is_child), channel_(std::move(channel)) {}
  bool tell(const Verdict& verdict);

  bool is_child_;
  Fd channel_;
};

}  // namespace ginnel::os

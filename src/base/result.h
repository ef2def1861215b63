// Errors as values. `Result<T>` for operations a person or caller can act on; `Result<T, Drop>` on
// the hot path, where an error is only a counter.
#pragma once

#include <expected>
#include <string>
#include <utility>

namespace ginnel {

// What a caller can do about it. The command line maps these to exit codes (docs/cli.md).
enum class ErrorCode {
  InvalidArgument,   // The input is wrong; nothing was tried.
  NotFound,          // The named object does not exist.
  AlreadyExists,     // The named object exists or the address is in use.
  PermissionDenied,  // A privilege or an owner is missing.
  Conflict,          // It would lose or contradict something.
  Exhausted,         // A limit was reached.
  Unavailable,       // A daemon, a service or a network could not be reached.
  TimedOut,
  Unsupported,  // This kernel or build cannot do it.
  Io,           // The operating system refused for another reason.
};

struct Error {
  ErrorCode code = ErrorCode::Io;
  std::string message;  // One line: names the object and the remedy. Never holds a key.
};

template <class T, class E = Error>
using Result = std::expected<T, E>;
using Status = Result<void>;

inline Status ok() { return {}; }

inline std::unexpected<Error> fail(ErrorCode code, std::string message) {
  return std::unexpected(Error{code, std::move(message)});
}

// Hands the error of one Result on as the error of another.
template <class T>
std::unexpected<Error> pass(Result<T>&& failed) {
  return std::unexpected(std::move(failed).error());
}

}  // namespace ginnel

#include "cli/exit_code.h"

namespace ginnel::cli {

int exit_code(ErrorCode code) {
  switch (code) {
    case ErrorCode::InvalidArgument:
      return kUsage;
    case ErrorCode::PermissionDenied:
      return kNotPermitted;
    case ErrorCode::Unavailable:
      return kNoConnection;
    case ErrorCode::TimedOut:
      return kTimedOut;
    case ErrorCode::AlreadyExists:
    case ErrorCode::Conflict:
      return kRefused;
    case ErrorCode::NotFound:
    case ErrorCode::Exhausted:
    case ErrorCode::Unsupported:
    case ErrorCode::Io:
      return kFailed;
  }
  return kFailed;
}

}  // namespace ginnel::cli

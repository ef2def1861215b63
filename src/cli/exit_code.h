// What the program's exit codes mean. They mean this for every verb (docs/cli.md).
#pragma once

#include "base/result.h"

namespace ginnel::cli {

inline constexpr int kOk = 0;
inline constexpr int kFailed = 1;
inline constexpr int kUsage = 2;
inline constexpr int kNotPermitted = 3;
inline constexpr int kNoConnection = 4;
inline constexpr int kTimedOut = 5;
inline constexpr int kRefused = 6;
inline constexpr int kCannotTell = 7;

int exit_code(ErrorCode code);

}  // namespace ginnel::cli

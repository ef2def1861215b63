// The operating system's refusals as Errors.
#pragma once

#include <string_view>

#include "base/result.h"

namespace ginnel::os {

// "WHAT: reason; remedy". `what` says what was tried and names the object ("bind 0.0.0.0:51820");
// `number` is errno. Without a `remedy` the message carries the usual one, where there is one.
Error os_error(std::string_view what, int number, std::string_view remedy = {});

// The same, ready to be returned from a function that returns a Result.
std::unexpected<Error> os_fail(std::string_view what, int number, std::string_view remedy = {});

ErrorCode code_of(int number);

}  // namespace ginnel::os

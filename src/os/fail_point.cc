#include "os/fail_point.h"

#ifdef GINNEL_FAIL_POINTS

#include <fmt/format.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/text.h"

namespace ginnel::os {

// What is left is kept where it was found: it is the whole process's.
void fail_point() {
  constexpr const char* kName = "GINNEL_FAIL_AT";
  const char* const text = getenv(kName);
  if (text == nullptr) return;
  const auto left = parse_number<unsigned>(text, 1, 1'000'000);
  if (!left) return;
  if (*left == 1) kill(getpid(), SIGKILL);
  setenv(kName, fmt::format("{}", *left - 1).c_str(), 1);
}

}  // namespace ginnel::os

#endif

#include "os/clock.h"

#include <time.h>

#include "base/check.h"

namespace ginnel::os {
namespace {

std::chrono::nanoseconds read_clock(clockid_t id) {
  timespec at{};
  CHECK(clock_gettime(id, &at) == 0);
  return std::chrono::seconds(at.tv_sec) + std::chrono::nanoseconds(at.tv_nsec);
}

}  // namespace

MonoTime Clock::mono() const { return MonoTime(read_clock(CLOCK_BOOTTIME)); }

UnixTime Clock::unix_exact() const { return UnixTime(read_clock(CLOCK_REALTIME)); }

UnixTime Clock::unix_coarse() { return UnixTime(read_clock(CLOCK_REALTIME_COARSE)); }

}  // namespace ginnel::os

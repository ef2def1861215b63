#include "os/event_fd.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cstdint>

#include "os/os_error.h"

namespace ginnel::os {

Result<EventFd> EventFd::create() {
  Fd fd(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  if (!fd) return os_fail("eventfd", errno);
  return EventFd(std::move(fd));
}

void EventFd::raise() const {
  const std::uint64_t one = 1;
  // Fails only when the counter is at its end: then it is raised already.
  [[maybe_unused]] const ssize_t written = ::write(fd_.get(), &one, sizeof one);
}

bool EventFd::take() const {
  std::uint64_t times = 0;
  return ::read(fd_.get(), &times, sizeof times) == sizeof times;
}

}  // namespace ginnel::os

#include "os/fd.h"

#include <errno.h>
#include <unistd.h>

namespace ginnel::os {

void Fd::close() {
  if (number_ < 0) return;
  const int before = errno;
  // Linux frees the number even when close() reports EINTR, so a retry could close another's file.
  ::close(std::exchange(number_, -1));
  errno = before;
}

}  // namespace ginnel::os

#include "os/network_namespace.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>

#include "os/os_error.h"

namespace ginnel::os {

Result<NetworkNamespace> NetworkNamespace::enter_new() {
  if (unshare(CLONE_NEWNET) != 0) {
    return os_fail("make a network namespace", errno,
                   errno == EPERM ? "run it as root or with CAP_SYS_ADMIN" : "");
  }
  Fd fd(open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
  if (!fd) return os_fail("open /proc/thread-self/ns/net", errno);
  return NetworkNamespace(std::move(fd));
}

Status NetworkNamespace::enter() const {
  if (setns(fd_.get(), CLONE_NEWNET) != 0) return os_fail("enter a network namespace", errno);
  return ok();
}

}  // namespace ginnel::os

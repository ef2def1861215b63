// Asks the routers of a link to advertise themselves (RFC 4861, section 4.1), for when the kernel's
// own question went unheard. Never reads an answer: the kernel does.
#pragma once

#include <cstdint>

#include "base/result.h"
#include "os/fd.h"

namespace ginnel::os {

class RouterSolicitor {
 public:
  // Needs CAP_NET_RAW, and a kernel with IPv6. Asking needs neither that nor anything else.
  static Result<RouterSolicitor> open();

  // The interface needs a link-local address that is ready for use.
  Status solicit(std::uint32_t interface_index);

 private:
  explicit RouterSolicitor(Fd fd) : fd_(std::move(fd)) {}
  Fd fd_;
};

}  // namespace ginnel::os

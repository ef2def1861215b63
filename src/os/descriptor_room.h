// A descriptor beside the bytes of a message between processes (SCM_RIGHTS, unix(7)).
#pragma once

#include <sys/socket.h>

#include <array>
#include <cstdint>

#include "os/fd.h"

namespace ginnel::os {

// Room for one descriptor. The message borrows it.
class DescriptorRoom {
 public:
  // To send: the receiver gets a duplicate of `descriptor`.
  void attach(int descriptor, msghdr& message);
  // To receive: more descriptors than one are closed by the kernel.
  void lend(msghdr& message);
  // What came with a message that was received into lent room. Empty: none did.
  static Fd take(const msghdr& message);

 private:
  alignas(cmsghdr) std::array<std::uint8_t, CMSG_SPACE(sizeof(int))> bytes_{};
};

}  // namespace ginnel::os

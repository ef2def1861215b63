// What of the data path a person may choose, in every program that carries packets itself: to
// compare, or because a kernel or a library gets something wrong.
#pragma once

#include "core/crypto/aead_batch.h"
#include "net/coalescer.h"
#include "os/udp_socket.h"

namespace ginnel::tunnel {

struct PathChoice {
  crypto::AeadLibrary aead = crypto::AeadLibrary::Automatic;
  // Used where the kernel has them.
  net::Coalescer::Kinds tun_offloads{.tcp_v4 = true, .tcp_v6 = true, .udp = true};
  os::FamilySwitch udp_gso = true;
  os::FamilySwitch udp_gro = true;
};

}  // namespace ginnel::tunnel

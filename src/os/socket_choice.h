// Which of several sockets on one port the kernel gives a datagram.
#pragma once

#include <cstdint>

namespace ginnel::os {

// A datagram whose first byte is `first` goes to the socket whose number is the byte at `at`,
// shifted right by `shift`, modulo their count; they are numbered as they were bound. All others go
// where the kernel's hash of both endpoints says.
struct SocketChoice {
  std::uint8_t first;
  std::uint8_t at;
  std::uint8_t shift;
};

// For all sockets of the family that share the port of `fd`, which are `count`; REQUIRES: more than
// one, all bound. Where the kernel refuses, the hash decides for all, and this says false.
bool choose_sockets(int fd, const SocketChoice& choice, std::uint32_t count);

}  // namespace ginnel::os

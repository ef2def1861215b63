// One UDP socket that sends from any address of its network namespace.
#pragma once

#include <span>

#include "net/endpoint.h"
#include "os/clock.h"
#include "os/fd.h"

namespace ginnel::handshakes {

// What all threads of a process have worked since it began.
Duration cpu_time_of(int process);

class Wire {
 public:
  // At port `port`; 0: any.
  Wire(const net::Endpoint& to, std::uint16_t port);

  // All from one port; unspecified: what the route prefers. False when the socket is full.
  bool send(ByteView datagram, const net::Address& from);
  // In one system call. Returns how many went out.
  std::size_t send_many(std::span<const ByteView> datagrams, std::span<const net::Address> from);
  // Waits until `deadline`. Empty: nothing came.
  ByteView receive(MonoTime deadline);

 private:
  const net::Endpoint to_;
  os::Clock clock_;
  os::Fd fd_;
  std::array<std::uint8_t, 2048> received_;
};

}  // namespace ginnel::handshakes

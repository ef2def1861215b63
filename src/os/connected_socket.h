// Non-blocking sockets of services that poll many: connected ones, which hear nothing from anybody
// but their far end, and listeners for TCP. os/udp_socket.h is for WireGuard's batches.
#pragma once

#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/time.h"
#include "net/endpoint.h"
#include "os/fd.h"

namespace ginnel::os {

// How what a socket sends leaves this host.
struct SocketOrigin {
  std::string interface{};                // Bound to this one; empty: as routes say.
  std::uint32_t fwmark = 0;               // 0: none. Setting one needs CAP_NET_ADMIN.
  std::optional<net::Address> address{};  // Of the far end's family; else it is left out.
};

// From a port of the kernel's choice, by chance.
Result<Fd> connect_datagrams(const net::Endpoint& to, const SocketOrigin& origin);
Status send_datagram(int fd, ByteView bytes);
// Nothing when none waits. Fails when the far end's host refused what was sent before. A datagram
// that is longer than `room` is cut off.
Result<std::optional<ByteView>> receive_datagram(int fd, ByteSpan room);

// Connecting goes on behind it; what is sent before it stands does not go out, and a failure shows
// in the first send or receive after it.
Result<Fd> begin_stream(const net::Endpoint& to, const SocketOrigin& origin);

// Waits until it stands. Fails when it does not within `patience`.
Status finish_connecting(int fd, Duration patience);

class StreamListener {
 public:
  static constexpr int kBacklog = 128;

  struct Options {
    std::string interface{};      // Who comes in elsewhere does not find it. Empty: all do.
    bool before_address = false;  // The address may be one that comes later.
  };
  // Port 0: one that is free.
  static Result<StreamListener> listen(const net::Endpoint& at) { return listen(at, Options{}); }
  static Result<StreamListener> listen(const net::Endpoint& at, const Options& options);

  struct Accepted {
    Fd fd;  // Non-blocking.
    net::Endpoint from;
  };
  // The next one that waits.
  Result<std::optional<Accepted>> accept();

  int fd() const { return fd_.get(); }
  std::uint16_t port() const { return port_; }

 private:
  StreamListener(Fd fd, std::uint16_t port) : fd_(std::move(fd)), port_(port) {}

  Fd fd_;
  std::uint16_t port_;
};

}  // namespace ginnel::os

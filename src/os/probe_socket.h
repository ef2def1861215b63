// Sockets of somebody who tries to get packets past a lock, and of somebody who looks at a wire.
// For testing what a host lets out; nothing else has a use for them.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "net/endpoint.h"
#include "os/fd.h"

namespace ginnel::os {

struct ProbeOptions {
  enum class Kind : std::uint8_t {
    Datagram,  // UDP.
    Packet,    // Whole IP packets.
    Frame,     // Whole frames; needs an interface.
    FrameBypass,
  };
  Kind kind = Kind::Datagram;
  net::Family family = net::Family::V4;
  std::string interface{};  // Bound to this one; empty: none.
  std::uint32_t fwmark = 0;
  std::optional<net::Address> source{};    // Of a datagram.
  std::optional<net::Endpoint> connect{};  // A datagram's only destination.
};

// Belongs to the network namespace that it is opened in, whoever uses it. Non-blocking.
class ProbeSocket {
 public:
  static Result<ProbeSocket> open(const ProbeOptions& options);

  // Whether the kernel took it. Of packets and frames `to` is in the bytes already.
  bool send(ByteView bytes, const net::Endpoint& to) const;

 private:
  ProbeSocket(Fd fd, ProbeOptions options) : fd_(std::move(fd)), options_(std::move(options)) {}
  bool send_once(ByteView bytes, const net::Endpoint& to) const;

  Fd fd_;
  ProbeOptions options_;
};

// Every frame that arrives at an interface, whomever it is for. What the interface's own host sends
// is not among them.
class CaptureSocket {
 public:
  static constexpr std::size_t kMaxFrame = 65536;
  static constexpr int kBufferBytes = 8 << 20;

  static Result<CaptureSocket> open(const std::string& interface);

  // The next frame that waits, cut off at kMaxFrame. Valid until the next call.
  std::optional<ByteView> next();
  // How many frames found no room since the last call.
  std::uint64_t take_lost();
  int fd() const { return fd_.get(); }

 private:
  explicit CaptureSocket(Fd fd) : fd_(std::move(fd)), room_(kMaxFrame) {}

  Fd fd_;
  std::vector<std::uint8_t> room_;
};

// The hardware address of an interface in this network namespace.
Result<std::array<std::uint8_t, 6>> hardware_address(const std::string& interface);

}  // namespace ginnel::os

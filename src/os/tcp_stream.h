// Plain blocking TCP for measuring what a network carries. Services that answer somebody use http/.
#pragma once

#include "base/bytes.h"
#include "base/result.h"
#include "base/time.h"
#include "net/endpoint.h"
#include "os/fd.h"

namespace ginnel::os {

class TcpStream {
 public:
  // Every call gives up after this; a silent network must not hang who measures it.
  static constexpr Duration kPatience = std::chrono::seconds(5);

  static Result<TcpStream> connect(const net::Endpoint& to);
  // Takes over a connected socket; its own patience is what the calls have.
  explicit TcpStream(Fd fd) : fd_(std::move(fd)) {}

  // Sends a part of `bytes`, at least one; returns how many.
  Result<std::size_t> send_some(ByteView bytes);
  // Receives at least one byte; 0 when the other end has finished.
  Result<std::size_t> receive_some(ByteSpan into);

 private:
  Fd fd_;
};

class TcpListener {
 public:
  // Port 0: one of the kernel's choice.
  static Result<TcpListener> bind(const net::Endpoint& at);
  Result<TcpStream> accept();
  std::uint16_t port() const { return port_; }

 private:
  TcpListener(Fd fd, std::uint16_t port) : fd_(std::move(fd)), port_(port) {}

  Fd fd_;
  std::uint16_t port_;
};

}  // namespace ginnel::os

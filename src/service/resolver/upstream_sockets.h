// The sockets of questions in flight: each has one of its own, from a port by chance, connected to
// the upstream, so that the kernel drops what anybody else sends there.
#pragma once

#include <map>
#include <variant>

#include "core/dns/forwarder.h"
#include "core/dns/stream_framer.h"
#include "os/connected_socket.h"
#include "os/poller.h"
#include "os/unix_socket.h"

namespace ginnel::resolver {

class UpstreamSockets {
 public:
  // The tokens are attempts' numbers above `first_token`.
  UpstreamSockets(os::Poller& poller, os::SocketOrigin origin, std::uint64_t first_token)
      : poller_(poller), origin_(std::move(origin)), first_token_(first_token) {}

  // False when it cannot be sent: the tunnel is down, or there is no way.
  bool begin(const dns::Attempt& attempt);
  void end(dns::AttemptId id) { open_.erase(id); }

  // What waits, one call after the other, until it says Nothing.
  enum class State : std::uint8_t { Nothing, Answer, Failed };
  struct Received {
    State state = State::Nothing;
    dns::AttemptId id{};
    dns::Bytes bytes{};
  };
  Received receive(const os::Ready& ready);

 private:
  struct Stream {
    os::UnixStream stream;
    std::string unsent;
    dns::StreamFramer framer{dns::kMaxMessageBytes};
  };
  using Socket = std::variant<os::Fd, Stream>;

  Received receive_stream(dns::AttemptId id, Stream& stream, bool writable, std::uint64_t token);

  os::Poller& poller_;
  const os::SocketOrigin origin_;
  const std::uint64_t first_token_;
  std::map<dns::AttemptId, Socket> open_;
};

}  // namespace ginnel::resolver

// Carries TCP connections from ports of the host into a cage. The inner half of each is made in the
// cage and handed out; nothing of the host is ever handed in.
#pragma once

#include <array>
#include <functional>
#include <map>
#include <vector>

#include "os/connected_socket.h"
#include "os/poller.h"
#include "os/unix_socket.h"
#include "service/cage/published_port.h"

namespace ginnel::cage {

class PortPublisher {
 public:
  static constexpr std::size_t kMaxConnections = 128;
  static constexpr std::size_t kMaxBuffered = 65536;  // In one direction of one connection.
  static constexpr Duration kAcceptPause = 100ms;

  // Asks for a connection to a port inside; the answer comes by take_inner().
  using AskInside = std::function<Status(std::uint64_t number, std::uint16_t port)>;

  // Its tokens in the poller are `first_token` and above.
  PortPublisher(os::Poller& poller, AskInside ask, std::uint64_t first_token)
      : poller_(poller), ask_(std::move(ask)), first_token_(first_token) {}

  static Result<std::vector<os::StreamListener>> listen(const std::vector<PublishedPort>& ports);
  // The listeners are those of the ports, in their order.
  Status start(std::vector<os::StreamListener> listeners, const std::vector<PublishedPort>& ports);

  void handle(MonoTime now, const os::Ready& ready);
  // Without a descriptor nobody listens inside.
  void take_inner(std::uint64_t number, os::Fd inner);

  void handle_timeout(MonoTime now);
  MonoTime next_timeout() const { return accept_again_.at(); }

 private:
  struct Half {
    os::UnixStream stream;
    std::string to_send{};  // What the other half received.
    bool has_finished = false;
    bool was_told_so = false;  // That the other half has finished.
    bool is_polled = false;
  };
  // Outside and inside. Without an inner half it waits for one, and is not read.
  struct Connection {
    std::vector<Half> halves;
  };
  using Place = std::map<std::uint64_t, Connection>::iterator;

  void accept(MonoTime now, std::size_t index);
  void listen_again();
  // False when the connection has ended.
  bool carry(std::uint64_t number, Connection& connection);
  bool poll(std::uint64_t token, Half& half, bool reads);

  os::Poller& poller_;
  const AskInside ask_;
  const std::uint64_t first_token_;
  std::vector<os::StreamListener> listeners_;
  std::vector<PublishedPort> ports_;
  std::map<std::uint64_t, Connection> connections_;
  std::uint64_t last_number_ = 0;
  Deadline accept_again_;
};

}  // namespace ginnel::cage

// An HTTP/1.1 server on TCP and unix sockets: the control socket, metrics, APIs. Everything happens
// on the one thread that calls run(), the handler included, which therefore must not block. Starts
// no thread and knows no paths.
#pragma once

#include <filesystem>
#include <memory>

#include "base/result.h"
#include "base/time.h"
#include "http/message.h"

namespace ginnel::http {

struct ServerOptions {
  static constexpr std::size_t kMaxHeaderBytes = 16 << 10;
  static constexpr std::size_t kMaxBodyBytes = 1 << 20;
  static constexpr std::size_t kMaxConnections = 64;
  static constexpr Duration kIdleTimeout = 30s;
  static constexpr Duration kRequestTimeout = 30s;

  std::size_t max_header_bytes = kMaxHeaderBytes;  // Of the first line, and again of the headers.
  std::size_t max_body_bytes = kMaxBodyBytes;
  std::size_t max_connections = kMaxConnections;  // Further clients are answered 503.
  Duration idle_timeout = kIdleTimeout;           // For a request to begin.
  // For a request to arrive whole, and again for its response to leave, however slowly it trickles.
  Duration request_timeout = kRequestTimeout;
};

struct UnixListener {
  // What sockaddr_un holds, without the final zero.
  static constexpr std::size_t kMaxPathBytes = 107;

  std::filesystem::path path;
  unsigned mode = 0660;  // Set before anyone can connect. The owner is left to the caller.
};

class Server {
 public:
  // How long stop() waits for responses that are being sent.
  static constexpr Duration kStopGrace = 1s;
  // Clients beyond the limit that are being told so; still further ones are only disconnected.
  static constexpr std::size_t kMaxRefusals = 16;

  explicit Server(Handler handler, const ServerOptions& options = {});
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Before run(). Any number of each. Port 0 takes a free one; the answer says which.
  Result<net::Endpoint> listen(const net::Endpoint& endpoint);
  // A socket file that nobody answers on is replaced; one that is in use, and any other file, is
  // not. The file is removed at the end, unless somebody else listens there by then.
  Status listen(const UnixListener& listener);

  // Serves until stop(). Call once.
  void run();
  // From any thread, also before run() and more than once. Idle connections are closed; a response
  // that is being sent is finished, for kStopGrace.
  void stop();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace ginnel::http

// A client for one request at a time, which blocks: what commands use to talk to a running daemon.
#pragma once

#include <filesystem>
#include <string>
#include <variant>

#include "base/result.h"
#include "base/time.h"
#include "http/message.h"

namespace ginnel::http {

// A TCP endpoint, or the path of a unix socket.
using ServerAddress = std::variant<net::Endpoint, std::filesystem::path>;

struct ClientOptions {
  static constexpr std::size_t kMaxHeaderBytes = 64 << 10;
  static constexpr std::size_t kMaxBodyBytes = 64 << 20;

  Duration timeout = 10s;  // For everything together.
  std::size_t max_body_bytes = kMaxBodyBytes;
  // What to do when nobody answers; ends the error's line.
  std::string remedy = "start it, or check the address";
};

// The response, of whatever status: see require_success(). Fails with Unavailable when nobody
// listens or the answer breaks off, PermissionDenied when the socket's mode forbids it, and
// TimedOut. Sends method, target, headers and body of `request`, and closes the connection
// afterwards.
Result<Response> request(const ServerAddress& server, const Request& request,
                         const ClientOptions& options = {});

}  // namespace ginnel::http

// `ginnel server` from its start to its end: checks first, then changes, then a loop, and
// everything taken back. One per process; owns its signals and threads.
#pragma once

#include "service/server/server.h"
#include "service/tunnel/path_choice.h"

namespace ginnel::server {

struct ServerOptions {
  ServerPaths paths;
  config::ServerFlags flags;
  bool metrics_per_peer = false;
  tunnel::PathChoice path{};
};

// Who watches a server: a person at a terminal, or nobody.
class Audience {
 public:
  virtual ~Audience() = default;

  // Once, when the server is ready. `first_client` is the file of the client that was made because
  // there was none; empty otherwise. It holds keys.
  virtual void on_ready(const ServerView& view, std::string_view first_client) = 0;
  // Every kRefreshInterval if wants_status().
  static constexpr Duration kRefreshInterval = 1s;
  virtual bool wants_status() const = 0;
  virtual void on_status(const ServerView& view) = 0;
  // The terminal was closed. SIGHUP says that too, besides "reload".
  virtual bool has_left() const = 0;
  virtual void on_end() = 0;
};

// Returns when the server was asked to stop, or failed. Nothing of it is left on the host then.
// What is wrong with the input is found before anything is changed.
Status run_server(const ServerOptions& options, Audience& audience);

}  // namespace ginnel::server

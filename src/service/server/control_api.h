// What a running server answers on its control socket and, to whoever collects metrics, over TCP.
#pragma once

#include "http/router.h"
#include "service/server/server.h"

namespace ginnel::server {

struct ControlApiOptions {
  bool metrics_per_peer = false;
};

class ControlApi {
 public:
  // Borrows the server.
  ControlApi(Server& server, const ControlApiOptions& options);

  // The control socket's mode decides who may ask. Over TCP there is only /metrics.
  http::Response handle(const http::Request& request);

 private:
  void add_server_routes();
  void add_peer_routes();

  Server& server_;
  http::Router control_;
  http::Router metrics_;
};

}  // namespace ginnel::server

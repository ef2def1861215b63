// The other end of a running gateway's control socket.
#pragma once

#include <string>

#include "http/message.h"
#include "service/gateway/views.h"

namespace ginnel::gateway {

class ControlClient {
 public:
  // How long a reload may take: names may have to be looked up through a tunnel that is slow.
  static constexpr Duration kReloadPatience = std::chrono::seconds(60);

  // Of this network namespace. Everything fails with Unavailable where no gateway runs.
  explicit ControlClient(const std::string& run_directory);

  Result<GatewayView> status() const;
  // Returns when it is done, or fails when nothing was changed.
  Result<ChangeView> reload() const;

 private:
  Result<http::Response> ask(http::Method method, std::vector<std::string> path) const;
  std::string socket_;
};

}  // namespace ginnel::gateway

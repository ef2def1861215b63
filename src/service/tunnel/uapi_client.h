// The client's end of the control sockets: which userspace interfaces there are, and what one says
// of itself.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "core/wg/device_config.h"

namespace ginnel::tunnel {

class UapiClient {
 public:
  explicit UapiClient(std::string directory = "/var/run/wireguard")
      : directory_(std::move(directory)) {}

  // Interfaces whose socket somebody answers, in the order of the directory, which is the order in
  // which stock `wg` names them. A socket that was left behind is passed over.
  Result<std::vector<std::string>> interfaces() const;

  // Waits for the answer until `deadline`. Errors say what to do, and do not name the interface.
  Result<wg::DeviceStatus> read(const std::string& interface, MonoTime deadline) const;

 private:
  std::string path_of(const std::string& interface) const;

  std::string directory_;
};

}  // namespace ginnel::tunnel

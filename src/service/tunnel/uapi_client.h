// The client's end of the control sockets: which userspace interfaces there are, and what one says
// of itself.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "core/wg/device_config.h"
#include "os/unix_socket.h"

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
  // Carries out a change, all of it or nothing. As above.
  Status write(const std::string& interface, const wg::DeviceChange& change,
               MonoTime deadline) const;
  // Whether somebody answers for an interface of this name.
  bool answers(const std::string& interface) const;
  // A connection that says nothing. It ends when the one who answers does.
  Result<os::UnixStream> connect(const std::string& interface) const;
  // Where the socket of an interface of this name is.
  std::string path_of(const std::string& interface) const;

 private:
  std::string directory_;
};

}  // namespace ginnel::tunnel

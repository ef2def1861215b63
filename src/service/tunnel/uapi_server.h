// The control socket of one interface: what stock `wg` and `ginnel show` talk to. Requests are
// parsed and checked in core/config; here are sockets, limits and the one who may only look.
#pragma once

#include <list>
#include <memory>
#include <stop_token>
#include <string>

#include "core/config/uapi_request.h"
#include "os/clock.h"
#include "os/event_fd.h"
#include "os/poller.h"
#include "os/unix_socket.h"
#include "service/tunnel/wg_device.h"

namespace ginnel::tunnel {

struct UapiOptions {
  // Where the socket of an interface is looked for by `wg`.
  std::string directory = "/var/run/wireguard";
  // Not empty: a set is refused with EPERM, and the log names this as the way to make changes.
  std::string read_only_hint;
  // A connection on which nothing has moved for so long is closed.
  Duration idle_limit = 30s;
};

class UapiServer {
  struct Key {};  // Only create() makes one.

 public:
  static constexpr std::size_t kMaxConnections = 32;
  static constexpr Duration kRemovalInterval = 1s;
  // How long a client waits to be accepted when this process has no descriptor left for it.
  static constexpr Duration kAcceptPause = 100ms;

  // How long one that answers on the socket already has to leave.
  static constexpr Duration kLeaveLimit = 2s;

  // Borrows the device. Fails when another program answers on the socket and stays.
  static Result<std::unique_ptr<UapiServer>> create(WgDevice& device, UapiOptions options);
  UapiServer(Key, WgDevice& device, UapiOptions options, std::string path,
             os::UnixListener listener, os::Poller poller, os::EventFd wake, os::EventFd ended);
  ~UapiServer();

  // The thread that serves. Returns when asked to stop, which takes a wake(), or, after raising
  // ended_fd(), when the socket file was removed: that is how wg-quick takes an interface down.
  // A kernel that has no watches to give is asked every kRemovalInterval.
  void run(const std::stop_token& stop);
  void wake() const { wake_.raise(); }
  int ended_fd() const { return ended_.fd(); }
  const std::string& path() const { return path_; }

 private:
  struct Connection;
  enum Token : std::uint64_t { kWake, kListener, kRemoval, kFirstConnection };

  void accept();
  void watch_listener(MonoTime now);
  bool serve(Connection& connection);
  bool answer_what_came(Connection& connection);
  void answer(Connection& connection, config::UapiRequest request);
  config::UapiErrno configure(wg::DeviceChange change);
  bool write_out(Connection& connection);
  bool watch(Connection& connection, bool to_write);
  MonoTime next_look() const;

  WgDevice& device_;
  UapiOptions options_;
  std::string path_;
  os::UnixListener listener_;
  os::Poller poller_;
  os::EventFd wake_;
  os::EventFd ended_;
  os::Clock clock_;
  std::list<Connection> connections_;
  Deadline accept_again_;  // Armed while the listener is not watched.
  std::uint64_t next_token_ = kFirstConnection;
};

}  // namespace ginnel::tunnel

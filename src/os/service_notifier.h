// Tells systemd how the service is (sd_notify). Without systemd it does nothing.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "os/fd.h"

namespace ginnel::os {

// What a descriptor and its duplicates have in common.
struct FileIdentity {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;

  friend bool operator==(const FileIdentity&, const FileIdentity&) = default;
};

class ServiceNotifier {
 public:
  static constexpr std::size_t kMaxStatusBytes = 1024;

  // From NOTIFY_SOCKET and WATCHDOG_USEC, which it removes from the environment: programs that are
  // started must not speak for us. Call it before there are threads.
  static ServiceNotifier from_environment();

  bool is_listening() const { return socket_.is_open(); }
  void ready() { send("READY=1"); }
  void reloading();
  void stopping() { send("STOPPING=1"); }
  // Leaves a copy of the descriptor with systemd, which gives it to this service's next process
  // (inherited_descriptor()). It takes the place of an earlier one of that name; the same one again
  // is not sent again. Needs FileDescriptorStoreMax= in the unit.
  void store(const std::string& name, const Fd& descriptor);

  // What `systemctl status` shows; cut off at kMaxStatusBytes.
  void status(std::string_view text);
  // To be called at least every watchdog_interval().
  void watchdog() { send("WATCHDOG=1"); }
  // Half of what systemd allows, or zero when it does not watch.
  Duration watchdog_interval() const { return watchdog_interval_; }

 private:
  void send(std::string_view message);

  Fd socket_;
  std::string address_;  // A path, or an abstract name that begins with a zero byte.
  Duration watchdog_interval_{};
  std::map<std::string, FileIdentity> stored_{};
};

// The descriptor that a former process of this service left with systemd under `name`. Removes what
// was said of descriptors from the environment. Call it before there are threads.
Fd inherited_descriptor(std::string_view name);

}  // namespace ginnel::os

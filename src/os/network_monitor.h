// Tells when the host's networking changes, so that what was derived from it can be derived anew:
// the uplink, the interface that we run on, a kill switch.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "os/fd.h"

namespace ginnel::os {

struct NetworkEvent {
  enum class Kind : std::uint8_t {
    LinkRemoved,
    LinkChanged,  // Also: a new one, or up and down.
    AddressChanged,
    RouteChanged,
    RuleChanged,
    Resync,  // The kernel reported more than there was room for: anything may have changed.
  };
  Kind kind = Kind::Resync;
  std::uint32_t index = 0;  // Of the interface; 0 for routes, rules and Resync.
  std::string interface{};  // Its name, of LinkRemoved and LinkChanged.
  friend bool operator==(const NetworkEvent&, const NetworkEvent&) = default;
};

class NetworkMonitor {
 public:
  // What one read reports at most. More become one Resync.
  static constexpr std::size_t kMaxEvents = 256;

  static Result<NetworkMonitor> open();

  int fd() const { return fd_.get(); }  // To poll for reading.

  // Everything that was reported since the last read, without repetitions. A thousand changed
  // routes are one RouteChanged. Never blocks.
  Result<std::vector<NetworkEvent>> read();

 private:
  explicit NetworkMonitor(Fd fd);
  Fd fd_;
  std::vector<std::uint8_t> buffer_;
};

}  // namespace ginnel::os

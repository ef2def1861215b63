// Whether a TUN interface is up, and its MTU, wherever it is: interfaces are renamed, and moved to
// the network namespace of a container while their program stays outside.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "os/network_monitor.h"
#include "os/poller.h"
#include "os/tun_device.h"

namespace ginnel::os {

struct TunState {
  // Absent where we may not look: in a namespace that this process may not enter. The interface is
  // taken to be up there, because a tunnel that believes itself down is silent for ever.
  std::optional<unsigned> mtu;
  bool up = false;
  friend bool operator==(const TunState&, const TunState&) = default;
};

// One thread. Borrows the device and the poller.
class TunWatch {
  struct Key {};  // Only open() makes one.

 public:
  // Namespaces that one look follows the interface through, should it be moved at the same time.
  static constexpr int kMaxMoves = 8;

  // The poller reports `token` when something may have changed; look() then. It does so also after
  // the interface was moved.
  static Result<std::unique_ptr<TunWatch>> open(const TunDevice& device, Poller& poller,
                                                std::uint64_t token);
  TunWatch(Key, const TunDevice& device, Poller& poller, std::uint64_t token,
           NetworkMonitor monitor, std::uint64_t space);

  // The interface as it is; nothing when it is gone.
  std::optional<TunState> look();

 private:
  bool follow();
  std::optional<TunState> ask(const std::string& name) const;

  const TunDevice& device_;
  Poller& poller_;
  std::uint64_t token_;
  NetworkMonitor monitor_;  // In the namespace that the interface was in when we last looked.
  std::uint64_t space_;     // That namespace's inode.
};

}  // namespace ginnel::os

// The interfaces of tunnels that stand by themselves: made and deleted, whatever carries their
// packets. service/tunnel/found_devices.h finds them again.
#pragma once

#include <string>

#include "os/rtnetlink.h"
#include "service/quick/interruption.h"

namespace ginnel::quick {

enum class Backend : std::uint8_t {
  Automatic,  // The kernel's where it has WireGuard, else one in userspace.
  Userspace,
  Kernel,
};
// "auto", "userspace", "kernel".
std::optional<Backend> parse_backend(std::string_view name);

struct DeviceOptions {
  std::string interface;
  Backend backend = Backend::Automatic;
  // For one in userspace: run instead of ours, with the interface as its argument; empty: ours.
  std::string program;
  std::vector<std::string> flags;  // For ours.
  // Of a lock that the process of ours holds as well, until the interface stands or nothing is left
  // of it, also when we are killed meanwhile.
  int lock_fd = -1;
};

// Makes the interface, down and without a configuration. Returns what carries it: "userspace",
// "kernel" or "program". Fails when there is such an interface.
Result<std::string> make_device(const DeviceOptions& options, os::Rtnetlink& rtnetlink,
                                Interruption& interruption);

// Deletes it, and waits until the process that carried it has left. One that is gone is no failure.
// `interface` is what it was made as, and `present` what it is called.
Status delete_device(const std::string& interface, const std::string& present,
                     os::Rtnetlink& rtnetlink);

}  // namespace ginnel::quick

// The interfaces of tunnels that stand by themselves: made, found again and deleted, whatever
// carries their packets.
#pragma once

#include <memory>
#include <string>

#include "os/rtnetlink.h"
#include "service/quick/interruption.h"
#include "service/tunnel/wg_device.h"

namespace ginnel::quick {

enum class Backend : std::uint8_t {
  Automatic,
  Userspace,
};
// "auto", "userspace".
std::optional<Backend> parse_backend(std::string_view name);

struct DeviceOptions {
  std::string interface;
  Backend backend = Backend::Automatic;
  // Run instead of ours, with the interface as its argument; empty: ours.
  std::string program;
};

// Makes the interface, down and without a configuration. Returns what carries it: "userspace",
// "kernel" or "program". Fails when there is such an interface.
Result<std::string> make_device(const DeviceOptions& options, os::Rtnetlink& rtnetlink,
                                Interruption& interruption);

// The WireGuard device of this name. Fails with NotFound when there is none, and with Conflict when
// the interface is something else.
Result<std::unique_ptr<tunnel::WgDevice>> open_device(const std::string& interface,
                                                      os::Rtnetlink& rtnetlink);

// Deletes it, and waits until the process that carried it has left. One that is gone is no failure.
Status delete_device(const std::string& interface, os::Rtnetlink& rtnetlink);

}  // namespace ginnel::quick

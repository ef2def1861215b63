// Every WireGuard interface of this host, whatever carries its packets: by name, and one of them.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "service/tunnel/uapi_device.h"

namespace ginnel::tunnel {

// The kernel's first, then those in userspace: the order of stock `wg`.
Result<std::vector<std::string>> list_devices();

// The WireGuard interface of this name, which is asked nothing yet. Fails with NotFound when there
// is none, and with Conflict when it is something else. `answer_limit` is for one in userspace.
Result<std::unique_ptr<WgDevice>> find_device(const std::string& interface,
                                              Duration answer_limit = UapiDevice::kAnswerLimit);

}  // namespace ginnel::tunnel

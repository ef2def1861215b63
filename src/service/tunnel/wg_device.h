// A WireGuard interface that can be configured and observed, whatever carries its packets. server,
// gateway, cage and agent drive one of these and none re-implements it.
#pragma once

#include <string>

#include "base/result.h"
#include "core/wg/device_config.h"

namespace ginnel::tunnel {

// Any thread may call; calls are carried out one after the other.
class WgDevice {
 public:
  virtual ~WgDevice() = default;

  virtual const std::string& interface_name() const = 0;

  // Applies everything or, when it fails, nothing. Sessions of peers that the change does not touch
  // go on.
  virtual Status configure(wg::DeviceChange change) = 0;
  virtual Result<wg::DeviceStatus> observe() = 0;
};

}  // namespace ginnel::tunnel

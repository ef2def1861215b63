#include "service/tunnel/uapi_device.h"

#include <fmt/format.h>

#include "os/clock.h"

namespace ginnel::tunnel {

Status UapiDevice::configure(wg::DeviceChange change) {
  Status changed = client_.write(interface_, change, os::Clock().mono() + answer_limit_);
  if (changed) return changed;
  return fail(changed.error().code,
              fmt::format("interface {}: {}", interface_, changed.error().message));
}

Result<wg::DeviceStatus> UapiDevice::observe() {
  auto device = client_.read(interface_, os::Clock().mono() + answer_limit_);
  if (device) return device;
  return fail(device.error().code,
              fmt::format("interface {}: {}", interface_, device.error().message));
}

}  // namespace ginnel::tunnel

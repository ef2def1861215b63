// Changes of a device, for backends that cannot do everything themselves: the way from one state to
// another, and a change without what older kernels do not know. Pure.
#pragma once

#include "core/wg/device_config.h"

namespace ginnel::wg {

// What makes a device that is `now` one that is as `wanted`. Peers that do not differ are not in
// it. Addresses that peers were heard from count as differences, and are set.
DeviceChange difference(const DeviceStatus& now, const DeviceStatus& wanted);

// Says the same without taking single allowed IPs away: a peer that would lose some is given all
// that it is to have. REQUIRES: `now` is what the device is.
void replace_removals(DeviceChange& change, const DeviceStatus& now);

}  // namespace ginnel::wg

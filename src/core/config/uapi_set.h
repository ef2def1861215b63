// A change of a device as a request on the control socket: what `wg set` and `wg setconf` would
// send. The text holds keys (secret_text.h).
#pragma once

#include <string>

#include "core/wg/device_config.h"

namespace ginnel::config {

// Ends with the empty line that ends a request. UapiRequestParser reads the same change back.
std::string uapi_set_request(const wg::DeviceChange& change);

}  // namespace ginnel::config

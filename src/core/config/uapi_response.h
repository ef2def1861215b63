// Answers on the control socket: written by a device, read by `ginnel show`. The texts hold private
// keys; whoever keeps one erases it (secret_text.h).
#pragma once

#include <string>

#include "core/config/uapi.h"
#include "core/wg/device_config.h"

namespace ginnel::config {

// The answer to a get, in the order that the protocol gives its keys. Counters follow the keys that
// other programs know, as "ginnel_NAME"; readers ignore what they do not know.
std::string uapi_get_response(const wg::DeviceStatus& device);

// The same in parts, for whoever does not want all of it in memory: the device, then each peer,
// then the end.
void append_uapi_device(std::string& out, const wg::DeviceStatus& device);
void append_uapi_peer(std::string& out, const wg::PeerStatus& peer);
// Stock `wg` expects a negative errno from a set and a positive one from a get.
void append_uapi_end(std::string& out, UapiVerb verb, UapiErrno error);

// Reads a whole answer to a get, up to and including its empty line. An answer with an errno, of
// either sign, is an error that says what it means; keys that are not known are ignored.
Result<wg::DeviceStatus> parse_uapi_get_response(std::string_view text,
                                                 const ZoneLookup& zones = {});
// True when `text` ends where an answer ends, so that there is nothing more to wait for.
bool is_complete_uapi_response(std::string_view text);

}  // namespace ginnel::config

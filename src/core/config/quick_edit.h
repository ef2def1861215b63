// Writes what a device is now into the file that it came from: an edit, not a new file. Comments,
// order, names of hosts and everything that did not change stay as they were.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/config/quick_file.h"

namespace ginnel::config {

// What the file is to say.
struct QuickLive {
  const wg::DeviceStatus& device;
  std::vector<net::InterfaceAddress> addresses;
  // Not of the file's, and not to be written into it: chosen by chance, or for the routes.
  std::uint16_t automatic_port = 0;
  std::uint32_t automatic_fwmark = 0;
};

// `file` is what parse_quick_file() made of `text`. The result holds keys.
std::string edit_quick_file(std::string_view text, const QuickFile& file, const QuickLive& live);

}  // namespace ginnel::config

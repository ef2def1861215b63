// Who has a TUN interface, for the message that says so.
#pragma once

#include <string>

namespace ginnel::os {

// "ginnel (process 123) holds it", or what else is known. Other users' processes are visible to
// root only.
std::string describe_tun_holder(const std::string& interface);

}  // namespace ginnel::os

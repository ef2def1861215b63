// Who has a TUN interface, for the message that says so.
#pragma once

#include <string>

namespace ginnel::os {

// "ginnel (process 123) holds it", or what else is known. Other users' processes are visible to
// root only.
std::string describe_tun_holder(const std::string& interface);

// Waits for a TUN interface to go, as it does a moment after its process was killed: for 2 s where
// nobody holds it any more, and else for half a second. Whether it has gone.
bool await_end_of_tun(const std::string& interface);

}  // namespace ginnel::os

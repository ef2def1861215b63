// Who has a port, for the message that says so.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ginnel::os {

enum class Transport : std::uint8_t { Udp, Tcp };

// "it is held by nginx (process 123)", or what else is known. Looks through at most kMaxProcesses
// processes. Other users' processes are visible to root only.
inline constexpr std::size_t kMaxProcesses = 65536;
std::string describe_holder(Transport transport, std::uint16_t port);

// The inodes of the sockets that are bound to `port` and, for TCP, listen, in the text of one of
// /proc/net/{udp,udp6,tcp,tcp6}. Lines that are not understood are passed over.
std::vector<std::uint64_t> inodes_of_port(std::string_view table, Transport transport,
                                          std::uint16_t port);

}  // namespace ginnel::os

// Values of wg-quick files as stock tools read them: ip(8) and the C library, which take more than
// anybody means to write. 010.0.0.1 is 8.0.0.1 to both.
#pragma once

#include <optional>
#include <string_view>

#include "net/prefix.h"

namespace ginnel::config {

// An address as ip(8) reads it: of IPv4 up to four numbers, of which those that are missing are 0.
std::optional<net::Address> ip_tool_address(std::string_view text);

// What stands behind the slash of one: a number, or a mask as an IPv4 address.
std::optional<unsigned> ip_tool_length(std::string_view text);

// An IPv4 address in numbers as inet_aton() reads it, and with it /etc/resolv.conf and the look-up
// of names: up to four of any base, of which the last fills what is left. 10.1 is 10.0.0.1.
std::optional<net::Address> resolver_address(std::string_view text);

// A port in numbers as the look-up of services reads it, which cuts it to 16 bits. Nothing: a name,
// or none at all.
std::optional<std::uint16_t> resolver_port(std::string_view text);

}  // namespace ginnel::config

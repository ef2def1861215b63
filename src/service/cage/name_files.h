// The files by which programs in a cage look up names: through the tunnel's servers, and by no
// service of the host, which would ask outside. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace ginnel::cage {

inline constexpr std::size_t kMaxNameServers = 3;  // What resolvers of programs look at.

struct NameServers {
  std::vector<std::string> servers{};  // Addresses, as written.
  std::vector<std::string> search_domains{};
};

std::string resolv_conf_text(const NameServers& names);

// The host's nsswitch.conf, but that hosts are looked up in files and by DNS alone: "resolve",
// "mdns" and their like ask a service of the host. The order stays, and so do all other lines.
std::string nsswitch_text(std::string_view of_host);

}  // namespace ginnel::cage

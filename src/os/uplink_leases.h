// What other programs' DHCP clients know of this host's uplinks: core/hostnet/uplink_servers.h by
// the files of networkd, dhclient and dhcpcd. NetworkManager's own client writes no such file.
#pragma once

#include <string>
#include <vector>

#include "core/hostnet/host_state.h"
#include "core/hostnet/uplink_servers.h"

namespace ginnel::os {

struct LeaseDirectories {
  std::string networkd = "/run/systemd/netif/leases";
  std::vector<std::string> dhclient = {"/var/lib/dhcp", "/var/lib/NetworkManager"};
  std::string dhcpcd = "/var/lib/dhcpcd";
};

// Files that cannot be read count as none.
hostnet::UplinkServers read_leases(const hostnet::Link& link,
                                   const LeaseDirectories& directories = {});

// The servers that this host's programs ask when no tunnel is up: by resolv.conf as it is, as it
// was before tunnels of ours changed it, and by what systemd-resolved and NetworkManager were told.
// `run_directory` is that of this network namespace.
hostnet::UplinkServers read_name_servers(const std::string& run_directory);

}  // namespace ginnel::os

// Which servers an uplink has, by the files in which other programs keep that: leases of DHCP
// clients, resolv.conf. Pure; what makes no sense there is passed over.
#pragma once

#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "net/address.h"

namespace ginnel::hostnet {

struct UplinkServers {
  static constexpr std::size_t kMaxServers = 8;  // Of each kind; the rest is left out.

  std::vector<net::Address> dhcp{};
  std::vector<net::Address> dns{};

  // Each once, and none that no host can have.
  void add(const UplinkServers& other);
  friend bool operator==(const UplinkServers&, const UplinkServers&) = default;
};

// systemd-networkd's file of one interface.
UplinkServers read_networkd_lease(std::string_view text);

// dhclient's file has the leases of many interfaces, one behind the other; the last one of this
// interface counts.
UplinkServers read_dhclient_leases(std::string_view text, std::string_view interface);

// dhcpcd's file of one interface: the server's message itself (RFC 2131).
UplinkServers read_dhcpcd_lease(ByteView message);

// The "nameserver" lines.
UplinkServers read_resolv_conf(std::string_view text);

}  // namespace ginnel::hostnet

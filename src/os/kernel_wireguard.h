// The kernel's own WireGuard interfaces, read and changed over generic netlink.
#pragma once

#include <string>

#include "os/netlink_socket.h"
#include "os/wireguard_message.h"

namespace ginnel::os {

// As rtnetlink names the kind of such a link.
inline constexpr const char* kWireguardLink = "wireguard";

class KernelWireguard {
 public:
  // Fails with Unsupported where this kernel has no WireGuard.
  static Result<KernelWireguard> open();

  Result<WireguardState> read(const std::string& interface);
  // A change that takes several messages may be carried out in part when it fails.
  Status write(const std::string& interface, const WireguardChange& change);

 private:
  KernelWireguard(NetlinkSocket netlink, std::uint16_t family)
      : netlink_(std::move(netlink)), family_(family) {}

  NetlinkSocket netlink_;
  std::uint16_t family_;
};

}  // namespace ginnel::os

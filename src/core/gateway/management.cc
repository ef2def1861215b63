#include "core/gateway/management.h"

#include <algorithm>

#include "base/text.h"

namespace ginnel::gateway {

std::optional<net::Address> ssh_peer(std::string_view ssh_connection) {
  const auto words = split(trim(ssh_connection), ' ');
  if (words.size() != 4) return std::nullopt;
  // A link-local address comes with its zone, "fe80::1%eth0".
  const std::string_view client = words[0].substr(0, words[0].find('%'));
  const auto address = net::Address::parse(client);
  const auto port = parse_number<std::uint16_t>(words[1], 1, UINT16_MAX);
  if (!address || !port || address->is_unspecified()) return std::nullopt;
  return *address;
}

bool is_on_link(const hostnet::HostState& host, const net::Address& address,
                const std::vector<std::string>& tunnels) {
  if (address.is_loopback()) return false;
  return std::ranges::any_of(host.addresses, [&](const hostnet::AssignedAddress& own) {
    const hostnet::Link* link = host.find_link(own.interface);
    if (link == nullptr || link->loopback) return false;
    if (std::ranges::find(tunnels, own.interface) != tunnels.end()) return false;
    return own.address.subnet().contains(address) && own.address.address != address;
  });
}

}  // namespace ginnel::gateway

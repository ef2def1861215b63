// Which resolvers clients are told to use when nobody said: those of the host that a client can
// reach through it.
#pragma once

#include <string_view>
#include <vector>

#include "net/address.h"

namespace ginnel::server {

inline constexpr std::size_t kMaxClientResolvers = 3;  // What resolvers of clients look at.

struct HostResolvers {
  std::string_view resolv_conf;    // /etc/resolv.conf
  std::string_view behind_a_stub;  // systemd-resolved's own list; empty without it.
};

// The addresses of `nameserver` lines that answer somebody else than the host itself. When the host
// asks a stub on its loopback, those that the stub asks. IPv6 ones only for clients that have IPv6.
// Never empty: without any it is Quad9, which is not run for profit and keeps no addresses.
std::vector<net::Address> choose_client_dns(const HostResolvers& host, bool clients_have_ipv6);

// The addresses of `nameserver` lines, as the host itself asks them: a stub on its loopback counts.
// Those `left_out` do not: they are answered by who asks here.
std::vector<net::Address> host_resolvers(std::string_view resolv_conf,
                                         const std::vector<net::Address>& left_out);

}  // namespace ginnel::server

#include "core/server/client_dns.h"

#include <algorithm>

#include "base/text.h"

namespace ginnel::server {
namespace {

constexpr std::string_view kQuad9[] = {"9.9.9.9", "2620:fe::fe"};

// Link-local IPv6 means another host on every link; IPv4's (a cloud's resolver) is reached by NAT.
bool is_reachable_for_clients(const net::Address& address, bool clients_have_ipv6) {
  if (address.is_loopback() || address.is_unspecified() || address.is_multicast()) return false;
  return address.is_v4() || (clients_have_ipv6 && !address.is_link_local());
}

// Calls back with the address of each `nameserver` line.
template <class Take>
void for_each_nameserver(std::string_view resolv_conf, Take&& take) {
  constexpr std::string_view kKeyword = "nameserver";
  for (std::string_view line : split(resolv_conf, '\n')) {
    line = trim(line.substr(0, line.find_first_of("#;")));
    if (!line.starts_with(kKeyword)) continue;
    const std::string_view value = line.substr(kKeyword.size());
    if (trim(value).size() == value.size()) continue;  // "nameservers 192.0.2.1" is none.
    if (const auto address = net::Address::parse(trim(value))) take(*address);
  }
}

void append_once(const net::Address& address, std::vector<net::Address>& out) {
  const bool is_new = std::ranges::find(out, address) == out.end();
  if (is_new && out.size() < kMaxClientResolvers) out.push_back(address);
}

void append_resolvers(std::string_view resolv_conf, bool clients_have_ipv6,
                      std::vector<net::Address>& out) {
  for_each_nameserver(resolv_conf, [&](const net::Address& address) {
    if (is_reachable_for_clients(address, clients_have_ipv6)) append_once(address, out);
  });
}

}  // namespace

std::vector<net::Address> choose_client_dns(const HostResolvers& host, bool clients_have_ipv6) {
  std::vector<net::Address> chosen;
  append_resolvers(host.resolv_conf, clients_have_ipv6, chosen);
  if (chosen.empty()) append_resolvers(host.behind_a_stub, clients_have_ipv6, chosen);
  if (!chosen.empty()) return chosen;
  for (const std::string_view text : kQuad9) {
    const net::Address address = *net::Address::parse(text);
    if (address.is_v4() || clients_have_ipv6) chosen.push_back(address);
  }
  return chosen;
}

std::vector<net::Address> host_resolvers(std::string_view resolv_conf,
                                         const std::vector<net::Address>& left_out) {
  std::vector<net::Address> resolvers;
  for_each_nameserver(resolv_conf, [&](const net::Address& address) {
    const bool is_usable = !address.is_unspecified() && !address.is_multicast() &&
                           (address.is_v4() || !address.is_link_local());
    const bool is_left_out = std::ranges::find(left_out, address) != left_out.end();
    if (is_usable && !is_left_out) append_once(address, resolvers);
  });
  return resolvers;
}

}  // namespace ginnel::server

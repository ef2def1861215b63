#include "core/hostnet/uplink_servers.h"

#include <algorithm>

#include "base/text.h"

namespace ginnel::hostnet {
namespace {

// Of a DHCP message (RFC 2131, 2132).
constexpr std::size_t kOptionsPlace = 240;
constexpr std::size_t kCookiePlace = 236;
constexpr std::uint32_t kCookie = 0x63825363;
constexpr std::uint8_t kPad = 0;
constexpr std::uint8_t kDnsServers = 6;
constexpr std::uint8_t kServerIdentifier = 54;
constexpr std::uint8_t kEnd = 255;
constexpr std::size_t kAddressBytes = 4;

void add_server(std::vector<net::Address>& servers, const net::Address& server) {
  if (server.is_unspecified() || server.is_loopback() || server.is_multicast()) return;
  if (servers.size() == UplinkServers::kMaxServers) return;
  if (std::ranges::find(servers, server) == servers.end()) servers.push_back(server);
}

void add_list(std::vector<net::Address>& servers, std::string_view list, char separator) {
  for (std::string_view text : split(list, separator)) {
    if (const auto server = net::Address::parse(trim(text))) add_server(servers, *server);
  }
}

// What stands behind `key`; nothing: the line is about something else.
std::optional<std::string_view> value_of(std::string_view line, std::string_view key) {
  if (!line.starts_with(key)) return std::nullopt;
  line.remove_prefix(key.size());
  return line;
}

// "option NAME VALUE;" and the like, of dhclient.
std::optional<std::string_view> statement(std::string_view line, std::string_view words) {
  const auto value = value_of(line, words);
  if (!value || !value->starts_with(' ') || !value->ends_with(';')) return std::nullopt;
  return trim(value->substr(0, value->size() - 1));
}

}  // namespace

void UplinkServers::add(const UplinkServers& other) {
  for (const net::Address& server : other.dhcp) add_server(dhcp, server);
  for (const net::Address& server : other.dns) add_server(dns, server);
}

UplinkServers read_networkd_lease(std::string_view text) {
  UplinkServers servers;
  for (std::string_view line : split(text, '\n')) {
    if (const auto server = value_of(line, "SERVER_ADDRESS=")) add_list(servers.dhcp, *server, ' ');
    if (const auto list = value_of(line, "DNS=")) add_list(servers.dns, *list, ' ');
  }
  return servers;
}

UplinkServers read_dhclient_leases(std::string_view text, std::string_view interface) {
  UplinkServers last;
  UplinkServers lease;
  bool is_ours = false;
  for (std::string_view line : split(text, '\n')) {
    line = trim(line);
    if (line.starts_with("lease ") || line.starts_with("lease6 ")) {
      lease = {};
      is_ours = false;
    } else if (line == "}") {
      if (is_ours) last = std::move(lease);
      lease = {};
      is_ours = false;
    } else if (const auto name = statement(line, "interface")) {
      is_ours =
          name->size() == interface.size() + 2 && name->substr(1, interface.size()) == interface;
    } else if (const auto server = statement(line, "option dhcp-server-identifier")) {
      add_list(lease.dhcp, *server, ',');
    } else if (const auto list = statement(line, "option domain-name-servers")) {
      add_list(lease.dns, *list, ',');
    } else if (const auto list6 = statement(line, "option dhcp6.name-servers")) {
      add_list(lease.dns, *list6, ',');
    }
  }
  return last;
}

UplinkServers read_dhcpcd_lease(ByteView message) {
  UplinkServers servers;
  if (message.size() < kOptionsPlace || load<Be32>(message.subspan(kCookiePlace)) != kCookie) {
    return servers;
  }
  std::size_t at = kOptionsPlace;
  while (at + 1 < message.size() && message[at] != kEnd) {
    const std::uint8_t option = message[at++];
    if (option == kPad) continue;
    const std::size_t size = message[at++];
    if (at + size > message.size()) break;
    const bool matters = option == kDnsServers || option == kServerIdentifier;
    for (std::size_t i = 0; matters && i + kAddressBytes <= size; i += kAddressBytes) {
      const net::Address server = net::Address::from_bytes(message.subspan(at + i, kAddressBytes));
      add_server(option == kDnsServers ? servers.dns : servers.dhcp, server);
    }
    at += size;
  }
  return servers;
}

UplinkServers read_resolv_conf(std::string_view text) {
  UplinkServers servers;
  for (std::string_view line : split(text, '\n')) {
    const auto value = value_of(trim(line), "nameserver");
    if (!value || value->empty() || (value->front() != ' ' && value->front() != '\t')) continue;
    std::string_view server = trim(*value);
    server = server.substr(0, server.find_first_of(" \t#;%"));  // A zone is no part of it.
    add_list(servers.dns, server, ' ');
  }
  return servers;
}

}  // namespace ginnel::hostnet

#include "service/quick/wishes.h"

namespace ginnel::quick {
namespace {

// The MTU of the narrowest way to a peer; where no peer's way is known, of the way out.
std::vector<std::uint32_t> path_mtus(const TunnelFacts& facts, os::Rtnetlink& rtnetlink) {
  std::vector<std::uint32_t> mtus;
  for (const net::Endpoint& endpoint : facts.endpoints) {
    if (const auto mtu = rtnetlink.path_mtu(endpoint.address, facts.fwmark)) mtus.push_back(*mtu);
  }
  if (!mtus.empty()) return mtus;
  // Documentation's own addresses: nobody has a route of their own to them.
  for (const char* outside : {"192.0.2.1", "2001:db8::1"}) {
    const auto mtu = rtnetlink.path_mtu(*net::Address::parse(outside), facts.fwmark);
    if (mtu) return {*mtu};
  }
  return {};
}

}  // namespace

TunnelFacts facts_of(const wg::DeviceStatus& device) {
  TunnelFacts facts{.fwmark = device.fwmark};
  for (const wg::PeerStatus& peer : device.peers) {
    facts.allowed_ips.insert(facts.allowed_ips.end(), peer.allowed_ips.begin(),
                             peer.allowed_ips.end());
    if (!peer.endpoint) continue;
    facts.endpoints.push_back(*peer.endpoint);
    for (const net::Prefix& allowed : peer.allowed_ips) {
      if (!allowed.contains(peer.endpoint->address)) continue;
      facts.own_endpoints.push_back({.allowed = allowed, .endpoint = peer.endpoint->address});
    }
  }
  return facts;
}

TunnelFacts facts_of(const config::QuickFile& file, const config::QuickNames& names) {
  TunnelFacts facts{.fwmark = file.fwmark.value_or(0)};
  for (std::size_t i = 0; i < file.peers.size(); ++i) {
    for (const wg::AllowedIpChange& allowed : file.peers[i].allowed_ips) {
      if (!allowed.remove) facts.allowed_ips.push_back(allowed.prefix);
    }
    if (names.endpoints[i]) facts.endpoints.push_back(*names.endpoints[i]);
  }
  // A device has each once.
  std::ranges::sort(facts.allowed_ips);
  const auto repeated = std::ranges::unique(facts.allowed_ips);
  facts.allowed_ips.erase(repeated.begin(), repeated.end());
  return facts;
}

Result<hostnet::QuickTunnel> tunnel_of(const Source& source, const TunnelFacts& facts,
                                       const hostnet::StandingRecord& record,
                                       os::Rtnetlink& rtnetlink) {
  hostnet::QuickTunnel tunnel{.interface = source.interface,
                              .addresses = source.file.addresses,
                              .allowed_ips = facts.allowed_ips,
                              .own_endpoints = facts.own_endpoints,
                              .mtu = source.file.mtu.value_or(0),
                              .fwmark = facts.fwmark,
                              .former = record.interface,
                              .former_rules = record.rules};
  if (source.file.table == "off") tunnel.routes = hostnet::QuickRoutes::None;
  // A name that is unknown is no harm as long as nothing is to be routed.
  if (!facts.allowed_ips.empty()) {
    const auto table = table_of(source);
    if (!table) return std::unexpected(table.error());
    if (*table) tunnel.routes = hostnet::QuickRoutes::InTable;
    tunnel.table = table->value_or(0);
  }
  if (tunnel.mtu == 0) tunnel.mtu = hostnet::automatic_mtu(path_mtus(facts, rtnetlink));
  return tunnel;
}

void note_in(hostnet::StandingRecord& record, const hostnet::QuickWishes& wishes) {
  const hostnet::WantedInterface& interface = wishes.host.network.interfaces.front();
  record.mtu = interface.mtu;
  record.interface = {.addresses = interface.addresses, .routes = interface.routes};
  record.rules = wishes.host.network.rules;
}

hostnet::WantedResolver resolver_of(const config::QuickFile& file) {
  // Domains without a server to ask about them are nothing.
  if (file.dns_servers.empty()) return {};
  return {.servers = file.dns_servers, .search = file.search_domains};
}

}  // namespace ginnel::quick

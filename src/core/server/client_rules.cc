#include "core/server/client_rules.h"

namespace ginnel::server {

hostnet::ClientFirewall client_firewall(const config::ServerConfig& config) {
  hostnet::ClientFirewall firewall{.everyone = config.rules};
  for (const config::ServerPeer& peer : config.peers) {
    if (!peer.enabled || peer.rules.is_empty()) continue;
    firewall.clients.push_back({.sources = peer.allowed_ips, .rules = peer.rules});
  }
  if (config.dns_builtin) {
    firewall.dns.push_back(config.own.v4);
    if (config.own.v6) firewall.dns.push_back(*config.own.v6);
  }
  return firewall;
}

}  // namespace ginnel::server

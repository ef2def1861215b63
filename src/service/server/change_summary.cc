#include "service/server/change_summary.h"

#include <unordered_map>

#include "core/config/secret_text.h"

namespace ginnel::server {
namespace {

using config::ServerConfig;
using config::ServerPeer;

bool is_same(const ServerPeer& a, const ServerPeer& b) {
  std::string first = config::to_peer_file(a);
  std::string second = config::to_peer_file(b);
  const bool same = first == second && a.name == b.name;
  config::erase_text(first);
  config::erase_text(second);
  return same;
}

void summarize_peers(const std::vector<ServerPeer>& before, const std::vector<ServerPeer>& after,
                     ChangeView& view) {
  std::unordered_map<crypto::PublicKey, const ServerPeer*> known;
  for (const ServerPeer& peer : before) known.emplace(peer.public_key, &peer);
  for (const ServerPeer& peer : after) {
    const auto old = known.find(peer.public_key);
    if (old == known.end()) {
      ++view.added;
      continue;
    }
    if (!is_same(*old->second, peer)) ++view.changed;
    known.erase(old);
  }
  view.removed = known.size();
}

}  // namespace

ChangeView summarize(const ServerConfig& before, const ServerConfig& after) {
  ChangeView view;
  summarize_peers(before.peers, after.peers, view);
  const auto compare = [&](const char* name, const auto& a, const auto& b) {
    if (!(a == b)) view.settings.emplace_back(name);
  };
  compare("listen_addr", before.listen, after.listen);
  compare("subnet", before.subnets.v4, after.subnets.v4);
  compare("subnet6", before.subnets.v6, after.subnets.v6);
  compare("server_ip", before.own, after.own);
  compare("mtu", before.mtu, after.mtu);
  compare("outbound_interface", before.outbound_interface, after.outbound_interface);
  compare("endpoint", before.endpoint, after.endpoint);
  compare("dns", std::tie(before.dns, before.dns_search, before.dns_builtin),
          std::tie(after.dns, after.dns_search, after.dns_builtin));
  compare("client_to_client", before.client_to_client, after.client_to_client);
  compare("allow", before.rules.allow, after.rules.allow);
  compare("deny", before.rules.deny, after.rules.deny);
  compare("admit", before.admit, after.admit);
  compare("open_firewall", before.open_firewall, after.open_firewall);
  return view;
}

}  // namespace ginnel::server

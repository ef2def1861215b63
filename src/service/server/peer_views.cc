#include "service/server/peer_views.h"

#include <fmt/format.h>

namespace ginnel::server {

PeerView describe_peer(const config::ServerPeer& peer) {
  PeerView view;
  view.name = peer.name;
  view.public_key = peer.public_key;
  view.enabled = peer.enabled;
  view.addresses = peer.addresses;
  view.allowed_ips = peer.allowed_ips;
  const auto texts = [](const std::vector<net::FlowRule>& rules) {
    std::vector<std::string> written;
    for (const net::FlowRule& rule : rules) written.push_back(rule.to_string());
    return written;
  };
  if (peer.rules.allow) view.allow = texts(*peer.rules.allow);
  view.deny = texts(peer.rules.deny);
  view.source = peer.source;
  if (!peer.created.empty()) view.created = peer.created;
  view.has_private_key = peer.private_key.has_value();
  view.has_preshared_key = peer.preshared_key.has_value();
  return view;
}

void add_traffic(const storage::Traffic& total, PeerView& view) {
  view.rx_bytes = total.rx_bytes;
  view.tx_bytes = total.tx_bytes;
  view.handshakes = total.handshakes;
  if (total.last_handshake != UnixTime{}) view.last_handshake = total.last_handshake;
  for (const storage::CauseCount& failure : total.failures) {
    view.handshake_failures[failure.cause] = failure.count;
  }
}

std::unexpected<Error> no_such_peer(std::string_view name) {
  return fail(ErrorCode::NotFound,
              fmt::format("no peer is called \"{}\"; \"ginnel peer list\" lists them",
                          name.substr(0, config::kMaxPeerName)));
}

}  // namespace ginnel::server

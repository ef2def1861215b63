#include "service/server/call_back.h"

#include <unordered_set>

#include "core/wg/constants.h"

namespace ginnel::server {

std::vector<wg::PeerChange> call_back(const std::vector<config::ServerPeer>& before,
                                      const std::vector<config::ServerPeer>& after,
                                      const TrafficBook& traffic, UnixTime now) {
  std::unordered_set<crypto::PublicKey> known;
  for (const config::ServerPeer& peer : before) {
    if (peer.enabled) known.insert(peer.public_key);
  }
  std::vector<wg::PeerChange> calls;
  for (const config::ServerPeer& peer : after) {
    if (!peer.enabled || peer.endpoint || known.contains(peer.public_key)) continue;
    const storage::Traffic last = traffic.of(peer.public_key).total;
    if (last.endpoint.empty() || now - last.last_handshake > wg::kRejectAfterTime) continue;
    const auto endpoint = net::Endpoint::parse(last.endpoint);
    if (!endpoint) continue;
    // A keepalive that is turned on is sent at once; the second change turns it off again.
    for (const std::uint16_t seconds : {std::uint16_t{1}, std::uint16_t{0}}) {
      wg::PeerChange& call = calls.emplace_back();
      call.public_key = peer.public_key;
      call.update_only = true;
      call.endpoint = *endpoint;
      call.persistent_keepalive_seconds = seconds;
    }
  }
  return calls;
}

}  // namespace ginnel::server

#include "core/config/lost_peers.h"

#include "core/config/quick_device.h"

namespace ginnel::config {

std::vector<LostPeers::Lost> LostPeers::find(const QuickFile& file, const wg::DeviceStatus& device,
                                             UnixTime now, Which which) {
  std::map<crypto::PublicKey, const wg::PeerStatus*> peers;
  for (const wg::PeerStatus& peer : device.peers) peers[peer.public_key] = &peer;
  const std::map<crypto::PublicKey, std::uint64_t> sent_before = std::exchange(sent_, {});
  std::vector<Lost> lost;
  for (const QuickPeer& peer : file.peers) {
    const auto found = peers.find(peer.public_key);
    if (found == peers.end()) continue;
    const wg::PeerStatus& present = *found->second;
    sent_[peer.public_key] = present.tx_bytes;
    if (!may_have_moved(peer, present, now)) continue;
    const auto before = sent_before.find(peer.public_key);
    const bool was_sent =
        before == sent_before.end() ? present.tx_bytes != 0 : before->second != present.tx_bytes;
    if (which == Which::All || was_sent) lost.push_back({&peer, &present});
  }
  return lost;
}

wg::PeerChange moved_to(const QuickPeer& peer, const net::Endpoint& endpoint) {
  wg::PeerChange change;
  change.public_key = peer.public_key;
  change.endpoint = endpoint;
  change.update_only = true;
  return change;
}

}  // namespace ginnel::config

#include "service/quick/endpoint_watch.h"

#include <fmt/format.h>

#include "base/log.h"
#include "os/clock.h"
#include "os/name_lookup.h"
#include "service/quick/held_tunnel.h"
#include "service/tunnel/found_devices.h"

namespace ginnel::quick {

Status EndpointWatch::look(const Source& source, Peers which) {
  auto device = tunnel::find_device(source.interface);
  if (!device) return pass(std::move(device));
  const auto status = (*device)->observe();
  if (!status) return std::unexpected(status.error());
  std::map<crypto::PublicKey, const wg::PeerStatus*> peers;
  for (const wg::PeerStatus& peer : status->peers) peers[peer.public_key] = &peer;

  const UnixTime now = os::Clock().now().unix;
  const std::map<crypto::PublicKey, std::uint64_t> sent_before = std::exchange(sent_, {});
  wg::DeviceChange change;
  Status outcome = ok();
  for (const config::QuickPeer& peer : source.file.peers) {
    const auto found = peers.find(peer.public_key);
    if (found == peers.end()) continue;
    const wg::PeerStatus& present = *found->second;
    sent_[peer.public_key] = present.tx_bytes;
    if (!config::may_have_moved(peer, present, now)) continue;
    const auto before = sent_before.find(peer.public_key);
    const bool was_sent =
        before == sent_before.end() ? present.tx_bytes != 0 : before->second != present.tx_bytes;
    if (which == Peers::LostAndSent && !was_sent) continue;
    const auto endpoints = os::look_up_all(peer.endpoint->host, peer.endpoint->port);
    if (!endpoints) {
      outcome =
          fail(endpoints.error().code, fmt::format("{}:{}: Endpoint: {}", source.path,
                                                   peer.endpoint_line, endpoints.error().message));
      continue;
    }
    const auto next = config::next_endpoint(*endpoints, present.endpoint);
    if (!next) continue;
    log::info("interface {}: peer {} is tried elsewhere", source.interface,
              peer.public_key.to_base64());
    log::debug("interface {}: it is tried at {}", source.interface, next->to_string());
    wg::PeerChange& moved = change.peers.emplace_back();
    moved.public_key = peer.public_key;
    moved.endpoint = *next;
    moved.update_only = true;
  }
  if (!change.peers.empty()) {
    if (Status changed = (*device)->configure(std::move(change)); !changed) return changed;
  }
  return outcome;
}

Status reload_endpoints(const QuickOptions& options, Interruption& interruption) {
  auto held = hold_tunnel(options, interruption);
  if (!held) return pass(std::move(held));
  return EndpointWatch().look(held->source, EndpointWatch::Peers::Lost);
}

}  // namespace ginnel::quick

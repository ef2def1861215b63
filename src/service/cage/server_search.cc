#include "service/cage/server_search.h"

#include <algorithm>

#include "base/log.h"
#include "core/config/quick_device.h"
#include "os/name_lookup.h"

namespace ginnel::cage {

Result<ServerSearch> ServerSearch::create(config::QuickFile file, MonoTime now) {
  auto lookups = tunnel::HostLookups::create(&os::look_up_host);
  if (!lookups) return pass(std::move(lookups));
  const bool has_names = std::ranges::any_of(file.peers, [](const config::QuickPeer& peer) {
    return peer.endpoint && !net::Address::parse(peer.endpoint->host);
  });
  ServerSearch search(std::move(file), std::move(*lookups));
  if (has_names) search.look_.arm(now + kLookInterval);
  return search;
}

void ServerSearch::handle_timeout(const Now& now, tunnel::WgDevice& device) {
  if (!look_.take_if_due(now.mono)) return;
  look_.arm(now.mono + kLookInterval);
  const auto status = device.observe();
  if (!status) return;
  const auto lost = lost_.find(file_, *status, now.unix, config::LostPeers::Which::Sent);
  for (const auto& [peer, present] : lost) {
    const std::string& name = peer->endpoint->host;
    if (asked_.size() >= tunnel::HostLookups::kMaxPending) return;
    if (asked_.insert(name).second) lookups_.ask(name);
  }
}

void ServerSearch::handle_answers(UnixTime now, tunnel::WgDevice& device) {
  const auto answers = lookups_.take_answers();
  const auto status = device.observe();
  wg::DeviceChange change;
  for (const tunnel::HostLookups::Answer& answer : answers) {
    asked_.erase(answer.name);
    if (!answer.addresses) log::info("{}", answer.addresses.error().message);
    if (!answer.addresses || !status) continue;
    for (const config::QuickPeer& peer : file_.peers) {
      const auto present =
          std::ranges::find(status->peers, peer.public_key, &wg::PeerStatus::public_key);
      if (!peer.endpoint || peer.endpoint->host != answer.name || present == status->peers.end() ||
          !config::may_have_moved(peer, *present, now)) {
        continue;
      }
      const auto port = os::look_up_port(peer.endpoint->port);
      if (!port) continue;
      std::vector<net::Endpoint> endpoints;
      for (const net::Address& address : *answer.addresses) {
        endpoints.push_back({.address = address, .port = *port});
      }
      const auto next = config::next_endpoint(endpoints, present->endpoint);
      if (!next) continue;
      log::info("the server {} is tried elsewhere", answer.name);
      change.peers.push_back(config::moved_to(peer, *next));
    }
  }
  if (change.peers.empty()) return;
  if (Status changed = device.configure(std::move(change)); !changed) {
    log::warn("{}", changed.error().message);
  }
}

}  // namespace ginnel::cage

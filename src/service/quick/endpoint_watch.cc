#include "service/quick/endpoint_watch.h"

#include <fmt/format.h>

#include "base/log.h"
#include "os/clock.h"
#include "os/name_lookup.h"
#include "service/quick/held_tunnel.h"
#include "service/tunnel/found_devices.h"

namespace ginnel::quick {

Status EndpointWatch::look(const Source& source, config::LostPeers::Which which) {
  auto device = tunnel::find_device(source.interface);
  if (!device) return pass(std::move(device));
  const auto status = (*device)->observe();
  if (!status) return std::unexpected(status.error());
  wg::DeviceChange change;
  Status outcome = ok();
  for (const auto& [peer, present] :
       lost_.find(source.file, *status, os::Clock().now().unix, which)) {
    const auto endpoints = os::look_up_all(peer->endpoint->host, peer->endpoint->port);
    if (!endpoints) {
      outcome =
          fail(endpoints.error().code, fmt::format("{}:{}: Endpoint: {}", source.path,
                                                   peer->endpoint_line, endpoints.error().message));
      continue;
    }
    const auto next = config::next_endpoint(*endpoints, present->endpoint);
    if (!next) continue;
    log::info("interface {}: peer {} is tried elsewhere", source.interface,
              peer->public_key.to_base64());
    log::debug("interface {}: it is tried at {}", source.interface, next->to_string());
    change.peers.push_back(config::moved_to(*peer, *next));
  }
  if (!change.peers.empty()) {
    if (Status changed = (*device)->configure(std::move(change)); !changed) return changed;
  }
  return outcome;
}

Status reload_endpoints(const QuickOptions& options, Interruption& interruption) {
  auto held = hold_tunnel(options, interruption);
  if (!held) return pass(std::move(held));
  return EndpointWatch().look(held->source, config::LostPeers::Which::All);
}

}  // namespace ginnel::quick

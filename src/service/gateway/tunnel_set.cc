#include "service/gateway/tunnel_set.h"

#include "base/log.h"
#include "core/config/quick_device.h"
#include "core/hostnet/quick_network.h"
#include "os/name_lookup.h"

namespace ginnel::gateway {
namespace {

constexpr std::string_view kReadOnlyHint = "the gateway's files";

wg::DeviceChange change_of(wg::PeerChange peer) {
  wg::DeviceChange change;
  change.peers.push_back(std::move(peer));
  return change;
}

}  // namespace

TunnelSet::~TunnelSet() {
  for (Running& running : tunnels_) {
    if (!running.uapi_thread.joinable()) continue;
    running.uapi_thread.request_stop();
    running.uapi->wake();
    running.uapi_thread.join();
  }
}

std::vector<TunnelFacts> TunnelSet::plan(const GatewayConfig& config,
                                         std::vector<std::vector<net::Endpoint>> endpoints,
                                         os::Rtnetlink& rtnetlink) {
  std::vector<TunnelFacts> planned;
  for (std::size_t i = 0; i < config.tunnels.size(); ++i) {
    TunnelFacts& facts = planned.emplace_back();
    facts.endpoints = std::move(endpoints[i]);
    facts.mtu = config.tunnels[i].file.mtu.value_or(0);
    if (facts.mtu != 0) continue;
    std::vector<std::uint32_t> ways;
    for (const net::Endpoint& endpoint : facts.endpoints) {
      if (const auto mtu = rtnetlink.path_mtu(endpoint.address, config.mark.value)) {
        ways.push_back(*mtu);
      }
    }
    facts.mtu = hostnet::automatic_mtu(ways);
  }
  return planned;
}

Status TunnelSet::start(const GatewayConfig& config, std::vector<TunnelFacts> planned) {
  config_ = &config;
  facts_ = std::move(planned);
  for (std::size_t i = 0; i < config.tunnels.size(); ++i) {
    if (Status started = start_one(i); !started) return started;
  }
  return ok();
}

Status TunnelSet::start_one(std::size_t index) {
  const GatewayTunnel& wanted = config_->tunnels[index];
  TunnelFacts& facts = facts_[index];
  auto device = tunnel::Tunnel::start({.interface = wanted.interface, .mtu = facts.mtu});
  if (!device) return pass(std::move(device));
  Running& running = tunnels_.emplace_back();
  running.device = std::move(*device);
  config::QuickNames names{.endpoints = {facts.endpoints.front()}};
  if (wanted.file.listen_port) {
    const auto port = os::look_up_port(*wanted.file.listen_port);
    if (!port) return std::unexpected(port.error());
    names.listen_port = *port;
  }
  wg::DeviceChange change = config::quick_addition(wanted.file, names);
  change.fwmark = config_->mark.value;
  if (Status configured = running.device->configure(std::move(change)); !configured) {
    return configured;
  }
  const auto status = running.device->observe();
  if (!status) return std::unexpected(status.error());
  facts.listen_port = status->listen_port;
  serve_wg(running);
  return ok();
}

// Without the directory for it stock `wg` shows nothing, and all else works.
void TunnelSet::serve_wg(Running& running) {
  auto uapi =
      tunnel::UapiServer::create(*running.device, {.read_only_hint = std::string(kReadOnlyHint)});
  if (!uapi) {
    log::warn("\"wg show\" will not see {}: {}", running.device->interface_name(),
              uapi.error().message);
    return;
  }
  running.uapi = std::move(*uapi);
  running.uapi_thread = std::jthread(
      [server = running.uapi.get()](const std::stop_token& stop) { server->run(stop); });
}

Result<TunnelTraffic> TunnelSet::traffic(std::size_t index) {
  const auto status = tunnels_[index].device->observe();
  if (!status) return std::unexpected(status.error());
  TunnelTraffic traffic;
  for (const wg::PeerStatus& peer : status->peers) {
    traffic.received += peer.rx_bytes;
    traffic.sent += peer.tx_bytes;
  }
  return traffic;
}

Status TunnelSet::greet(std::size_t index) {
  wg::PeerChange peer{.public_key = config_->tunnels[index].peer().public_key};
  peer.update_only = true;
  peer.greet = true;
  return tunnels_[index].device->configure(change_of(std::move(peer)));
}

Status TunnelSet::set_endpoints(std::size_t index, std::vector<net::Endpoint> endpoints,
                                bool is_answering) {
  TunnelFacts& facts = facts_[index];
  Running& running = tunnels_[index];
  const net::Endpoint current = facts.endpoints[running.endpoint];
  const auto same = std::ranges::find(endpoints, current);
  if (same != endpoints.end()) {
    running.endpoint = static_cast<std::size_t>(same - endpoints.begin());
  } else if (is_answering) {
    running.endpoint = endpoints.size();
    endpoints.push_back(current);
  } else {
    running.endpoint = 0;
  }
  facts.endpoints = std::move(endpoints);
  return facts.endpoints[running.endpoint] == current ? ok() : use_endpoint(index);
}

Status TunnelSet::use_next_endpoint(std::size_t index) {
  const std::size_t count = facts_[index].endpoints.size();
  if (count < 2) return ok();
  tunnels_[index].endpoint = (tunnels_[index].endpoint + 1) % count;
  return use_endpoint(index);
}

Status TunnelSet::use_endpoint(std::size_t index) {
  wg::PeerChange peer{.public_key = config_->tunnels[index].peer().public_key};
  peer.update_only = true;
  peer.endpoint = facts_[index].endpoints[tunnels_[index].endpoint];
  return tunnels_[index].device->configure(change_of(std::move(peer)));
}

}  // namespace ginnel::gateway

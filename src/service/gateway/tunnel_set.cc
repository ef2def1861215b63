#include "service/gateway/tunnel_set.h"

#include <fmt/format.h>

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

Status TunnelSet::start(const GatewayConfig& config, std::vector<TunnelFacts> planned,
                        const tunnel::PathChoice& path) {
  config_ = &config;
  facts_ = std::move(planned);
  for (std::size_t i = 0; i < config.tunnels.size(); ++i) {
    if (Status started = start_one(i, path); !started) return started;
  }
  return ok();
}

Status TunnelSet::start_one(std::size_t index, const tunnel::PathChoice& path) {
  const GatewayTunnel& wanted = config_->tunnels[index];
  TunnelFacts& facts = facts_[index];
  auto device =
      tunnel::Tunnel::start({.interface = wanted.interface, .mtu = facts.mtu, .path = path});
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

Result<TunnelSet::Look> TunnelSet::look(std::size_t index) {
  Running& running = tunnels_[index];
  const auto status = running.device->observe();
  if (!status) return std::unexpected(status.error());
  Look look{.public_key = status->public_key};
  TunnelTraffic now;
  for (const wg::PeerStatus& peer : status->peers) {
    now.received += peer.rx_bytes;
    now.sent += peer.tx_bytes;
    look.endpoint = peer.endpoint;
    look.last_handshake = peer.last_handshake;
    now.initiated = peer.last_initiation_sent;
  }
  // A peer that was put in another's place counts from zero.
  const auto growth = [](std::uint64_t present, std::uint64_t before) {
    return present >= before ? present - before : present;
  };
  running.total.received += growth(now.received, running.seen.received);
  running.total.sent += growth(now.sent, running.seen.sent);
  running.total.initiated = now.initiated;
  running.seen = now;
  look.traffic = running.total;
  return look;
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

Status TunnelSet::change(const GatewayConfig& next, std::vector<TunnelFacts> planned) {
  std::vector<std::size_t> in_use;
  for (const Running& running : tunnels_) in_use.push_back(running.endpoint);
  for (std::size_t i = 0; i < tunnels_.size(); ++i) {
    const Status changed = change_one(i, next.tunnels[i], planned[i]);
    if (changed) continue;
    for (std::size_t done = 0; done < i; ++done) {
      tunnels_[done].endpoint = in_use[done];
      if (Status undone = change_one(done, config_->tunnels[done], facts_[done]); !undone) {
        log::error("{}: a change that failed could not be taken back: {}",
                   config_->tunnels[done].interface, undone.error().message);
      }
    }
    return changed;
  }
  facts_ = std::move(planned);
  return ok();
}

Status TunnelSet::change_one(std::size_t index, const GatewayTunnel& wanted, TunnelFacts& facts) {
  Running& running = tunnels_[index];
  const auto status = running.device->observe();
  if (!status) return std::unexpected(status.error());
  config::QuickNames names{.endpoints = {std::nullopt}};
  if (wanted.file.listen_port) {
    const auto port = os::look_up_port(*wanted.file.listen_port);
    if (!port) {
      return fail(port.error().code,
                  fmt::format("{}:{}: ListenPort: {}", wanted.path, wanted.file.listen_port_line,
                              port.error().message));
    }
    names.listen_port = *port;
  }
  // Where the peer is reached now it stays reached, if it still may be there.
  std::optional<net::Endpoint> current;
  for (const wg::PeerStatus& peer : status->peers) {
    if (peer.public_key == wanted.peer().public_key) current = peer.endpoint;
  }
  const auto same = current ? std::ranges::find(facts.endpoints, *current) : facts.endpoints.end();
  const bool stays = same != facts.endpoints.end();
  running.endpoint = stays ? static_cast<std::size_t>(same - facts.endpoints.begin()) : 0;
  if (!stays) names.endpoints = {facts.endpoints.front()};
  wg::DeviceChange change = config::quick_difference(wanted.file, names, *status);
  change.fwmark.reset();
  if (change.private_key || change.listen_port || !change.peers.empty()) {
    if (Status configured = running.device->configure(std::move(change)); !configured) {
      return configured;
    }
  }
  const auto now = running.device->observe();
  if (!now) return std::unexpected(now.error());
  facts.listen_port = now->listen_port;
  return ok();
}

}  // namespace ginnel::gateway

#include "service/tunnel/kernel_device.h"

#include <fmt/format.h>

#include "base/log.h"
#include "core/wg/device_difference.h"

namespace ginnel::tunnel {
namespace {

os::WireguardChange borrowed(const wg::DeviceChange& change) {
  os::WireguardChange out{.listen_port = change.listen_port,
                          .fwmark = change.fwmark,
                          .replace_peers = change.replace_peers};
  if (change.private_key) out.private_key = change.private_key->expose();
  out.peers.reserve(change.peers.size());
  for (const wg::PeerChange& peer : change.peers) {
    os::WireguardPeerChange& to =
        out.peers.emplace_back(os::WireguardPeerChange{.public_key = peer.public_key.bytes()});
    to.update_only = peer.update_only;
    to.remove = peer.remove;
    if (peer.remove) continue;
    if (peer.preshared_key) to.preshared_key = peer.preshared_key->expose();
    to.endpoint = peer.endpoint;
    to.persistent_keepalive_seconds = peer.persistent_keepalive_seconds;
    to.replace_allowed_ips = peer.replace_allowed_ips;
    for (const wg::AllowedIpChange& allowed : peer.allowed_ips) {
      to.allowed_ips.push_back(allowed.prefix);
    }
  }
  return out;
}

wg::DeviceStatus status_of(os::WireguardState state) {
  wg::DeviceStatus status;
  if (!state.private_key.is_zero()) {
    status.private_key.emplace(state.private_key.expose());
    status.public_key.emplace(state.public_key);
  }
  status.listen_port = state.listen_port;
  status.fwmark = state.fwmark;
  status.peers.reserve(state.peers.size());
  for (os::WireguardPeerState& peer : state.peers) {
    wg::PeerStatus& to = status.peers.emplace_back();
    to.public_key = crypto::PublicKey(peer.public_key);
    if (!peer.preshared_key.is_zero()) to.preshared_key.emplace(peer.preshared_key.expose());
    to.endpoint = peer.endpoint;
    to.last_handshake = peer.last_handshake;
    to.rx_bytes = peer.rx_bytes;
    to.tx_bytes = peer.tx_bytes;
    to.persistent_keepalive_seconds = peer.persistent_keepalive_seconds;
    to.allowed_ips = std::move(peer.allowed_ips);
  }
  return status;
}

}  // namespace

Result<KernelDevice> KernelDevice::open(std::string interface) {
  auto kernel = os::KernelWireguard::open();
  if (kernel) return KernelDevice(std::move(interface), std::move(*kernel));
  return fail(kernel.error().code,
              fmt::format("interface {}: {}", interface, kernel.error().message));
}

Status KernelDevice::named(const Status& status) const {
  if (status) return ok();
  return fail(status.error().code,
              fmt::format("interface {}: {}", interface_, status.error().message));
}

Status KernelDevice::configure(wg::DeviceChange change) {
  const auto before = observe();
  if (!before) return std::unexpected(before.error());
  wg::replace_removals(change, *before);
  const Status written = kernel_.write(interface_, borrowed(change));
  if (written) return ok();
  const auto now = observe();
  const Status undone = now ? kernel_.write(interface_, borrowed(wg::difference(*now, *before)))
                            : Status(std::unexpected(now.error()));
  if (!undone && undone.error().code != ErrorCode::NotFound) {
    log::error("interface {}: a change that failed could not be taken back: {}", interface_,
               undone.error().message);
  }
  return named(written);
}

Result<wg::DeviceStatus> KernelDevice::observe() {
  auto state = kernel_.read(interface_);
  if (state) return status_of(std::move(*state));
  return std::unexpected(named(Status(std::unexpected(state.error()))).error());
}

}  // namespace ginnel::tunnel

#include "core/gateway/gateway_change.h"

#include <fmt/format.h>

#include <algorithm>

namespace ginnel::gateway {
namespace {

template <class Key>
bool is_same(const std::optional<Key>& a, const std::optional<Key>& b) {
  const Key none;
  return equal_in_constant_time(a ? a->expose() : none.expose(), b ? b->expose() : none.expose());
}

}  // namespace

Status check_same_tunnels(const GatewayConfig& present, const GatewayConfig& next) {
  for (std::size_t i = 0; i < present.tunnels.size(); ++i) {
    const bool is_same =
        i < next.tunnels.size() && next.tunnels[i].interface == present.tunnels[i].interface;
    if (is_same) continue;
    return fail(ErrorCode::Conflict,
                fmt::format("{}: it stands for another interface than {}; "
                            "start the gateway again",
                            present.tunnels[i].path, present.tunnels[i].interface));
  }
  return ok();
}

std::vector<std::string> changed_keys(const GatewayTunnel& before, const GatewayTunnel& after) {
  const config::QuickFile& old_file = before.file;
  const config::QuickFile& new_file = after.file;
  const config::QuickPeer& old_peer = before.peer();
  const config::QuickPeer& new_peer = after.peer();
  const std::pair<const char*, bool> keys[] = {
      {"Address", old_file.addresses == new_file.addresses},
      {"DNS", before.dns == after.dns},
      {"MTU", old_file.mtu == new_file.mtu},
      {"PrivateKey", is_same(old_file.private_key, new_file.private_key)},
      {"ListenPort", old_file.listen_port == new_file.listen_port},
      {"PublicKey", old_peer.public_key == new_peer.public_key},
      {"PresharedKey", is_same(old_peer.preshared_key, new_peer.preshared_key)},
      {"AllowedIPs", old_peer.allowed_ips == new_peer.allowed_ips},
      {"Endpoint", old_peer.endpoint == new_peer.endpoint},
      {"PersistentKeepalive", old_peer.persistent_keepalive_seconds.value_or(0) ==
                                  new_peer.persistent_keepalive_seconds.value_or(0)},
  };
  std::vector<std::string> changed;
  for (const auto& [key, same] : keys) {
    if (!same) changed.emplace_back(key);
  }
  return changed;
}

bool changes_session(const std::vector<std::string>& keys) {
  return std::ranges::any_of(keys, [](const std::string& key) {
    return key == "PrivateKey" || key == "PublicKey" || key == "PresharedKey" || key == "Endpoint";
  });
}

}  // namespace ginnel::gateway

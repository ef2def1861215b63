#include "core/config/uapi_set.h"

#include <fmt/format.h>

#include <iterator>

#include "base/text.h"

namespace ginnel::config {
namespace {

template <class... Args>
void append(std::string& out, fmt::format_string<Args...> format, Args&&... args) {
  fmt::format_to(std::back_inserter(out), format, std::forward<Args>(args)...);
}

template <class Key>
void append_secret(std::string& out, std::string_view name, const Key& key) {
  append(out, "{}={}\n", name, to_hex(key.expose()));
}

void append_peer(std::string& out, const wg::PeerChange& peer) {
  append(out, "public_key={}\n", peer.public_key.to_hex());
  if (peer.update_only) out += "update_only=true\n";
  if (peer.remove) {
    out += "remove=true\n";
    return;
  }
  if (peer.preshared_key) append_secret(out, "preshared_key", *peer.preshared_key);
  if (peer.endpoint) append(out, "endpoint={}\n", peer.endpoint->to_string());
  if (peer.persistent_keepalive_seconds) {
    append(out, "persistent_keepalive_interval={}\n", *peer.persistent_keepalive_seconds);
  }
  if (peer.replace_allowed_ips) out += "replace_allowed_ips=true\n";
  for (const wg::AllowedIpChange& allowed : peer.allowed_ips) {
    append(out, "allowed_ip={}{}\n", allowed.remove ? "-" : "", allowed.prefix.to_string());
  }
}

}  // namespace

std::string uapi_set_request(const wg::DeviceChange& change) {
  std::string out = "set=1\n";
  if (change.private_key) append_secret(out, "private_key", *change.private_key);
  if (change.listen_port) append(out, "listen_port={}\n", *change.listen_port);
  if (change.fwmark) append(out, "fwmark={}\n", *change.fwmark);
  if (change.replace_peers) out += "replace_peers=true\n";
  for (const wg::PeerChange& peer : change.peers) append_peer(out, peer);
  out += '\n';
  return out;
}

}  // namespace ginnel::config

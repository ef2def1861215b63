#include "core/config/client_file.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace ginnel::config {

Result<std::string> client_file(const ServerConfig& config, const ServerPeer& peer,
                                const ClientFileInputs& inputs) {
  if (peer.addresses.empty()) {
    return fail(ErrorCode::InvalidArgument,
                fmt::format("{}: has no address in the tunnel; add addresses = [\"...\"]",
                            peer.to_string()));
  }
  std::vector<std::string> addresses, dns;
  for (const net::Address& address : peer.addresses) {
    addresses.push_back(net::Prefix::host(address).to_string());
  }
  for (const net::Address& address : inputs.dns) dns.push_back(address.to_string());
  dns.insert(dns.end(), config.dns_search.begin(), config.dns_search.end());

  std::string text;
  text.reserve(4096);  // Growing would leave copies of the keys behind.
  text += "[Interface]\n";
  if (peer.private_key) {
    text += fmt::format("PrivateKey = {}\n", peer.private_key->expose_as_base64());
  } else {
    text += fmt::format("# PrivateKey = the one that belongs to {}\n", peer.public_key.to_base64());
  }
  text += fmt::format("Address = {}\n", fmt::join(addresses, ", "));
  if (!dns.empty()) text += fmt::format("DNS = {}\n", fmt::join(dns, ", "));
  text += fmt::format("MTU = {}\n\n[Peer]\nPublicKey = {}\n", config.mtu,
                      inputs.server_key.to_base64());
  if (peer.preshared_key) {
    text += fmt::format("PresharedKey = {}\n", peer.preshared_key->expose_as_base64());
  }
  text += fmt::format("AllowedIPs = 0.0.0.0/0, ::/0\nEndpoint = {}\n",
                      inputs.endpoint.to_string(config.listen.port));
  if (peer.persistent_keepalive_seconds != 0) {
    text += fmt::format("PersistentKeepalive = {}\n", peer.persistent_keepalive_seconds);
  }
  return text;
}

}  // namespace ginnel::config

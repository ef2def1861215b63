// One client of a server, as peers.d/NAME.toml or a [[peer]] of server.toml describes it.
#pragma once

#include <vector>

#include "core/config/host_port.h"
#include "core/config/toml_document.h"
#include "core/wg/device_config.h"
#include "net/flow_rule.h"

namespace ginnel::config {

inline constexpr std::size_t kMaxPeerName = 64;
inline constexpr std::uint16_t kDefaultKeepaliveSeconds = 25;  // Shorter than NATs forget.

struct ServerPeer {
  enum class Origin : std::uint8_t { PeerFile, ServerFile, Flag };

  std::string name;
  Origin origin = Origin::PeerFile;
  std::size_t index = 0;  // Of a [[peer]] in server.toml, from 0.
  std::string source;     // What errors call it: "peers.d/anna.toml", "server.toml:12", "--peer".
  // Where its keys are written. 0: they are not, or a flag has taken their place.
  struct Lines {
    std::uint32_t public_key = 0;
    std::uint32_t addresses = 0;
    std::uint32_t allowed_ips = 0;
  };
  Lines lines;

  crypto::PublicKey public_key;
  std::optional<crypto::PrivateKey> private_key;  // Made here for the client, and not forgotten.
  std::optional<crypto::PresharedKey> preshared_key;
  std::vector<net::Address> addresses;   // The client's own, inside the tunnel.
  std::vector<net::Prefix> allowed_ips;  // What is routed to it; complete only in a ServerConfig.
  std::optional<HostPort> endpoint;      // Has a port. Absent: the peer comes to us.
  // What the client's file says; the server sends keepalives itself only where there is an
  // endpoint. Zero: off.
  std::uint16_t persistent_keepalive_seconds = kDefaultKeepaliveSeconds;
  net::FlowRules rules;  // What it may open, besides what the server's rules say.
  bool enabled = true;
  std::string created;  // RFC 3339; empty when not known.

  // How an error names it: `peer "anna" (peers.d/anna.toml)`, or with the line of one of its keys.
  std::string to_string(std::uint32_t line = 0) const;
  // How an error about one of its keys begins: "peers.d/anna.toml:2: addresses", and without a line
  // as above.
  std::string place_of(std::string_view key, std::uint32_t line) const;
  // Where its keys are in the document that it comes from. Borrows nothing of the peer.
  TomlPlace place() const {
    return origin == Origin::ServerFile ? TomlPlace{"peer", index} : TomlPlace{""};
  }
};

// [a-zA-Z0-9_.-]{1,64}, not starting with a dot, so that a name is a file name too.
Status check_peer_name(std::string_view name);
// A name for a peer that has none, made of its key so that it stays the same.
std::string default_peer_name(const crypto::PublicKey& key);

// Reads peers.d/NAME.toml; the file's name is the peer's.
Result<ServerPeer> parse_peer_file(std::string_view path, std::string text);
// The text of a new file that parse_peer_file() reads. It holds the private key, if there is one.
std::string to_peer_file(const ServerPeer& peer);
// Reads every [[peer]] of server.toml.
Result<std::vector<ServerPeer>> read_peer_tables(const TomlDocument& document);

}  // namespace ginnel::config

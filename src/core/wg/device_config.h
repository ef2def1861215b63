// How a WireGuard device is configured and observed, as values: what the control socket, the server
// and every backend have in common. Front ends make a DeviceChange, an engine applies it as one
// step; DeviceStatus is what it answers. No behaviour lives here.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "core/crypto/keys.h"
#include "net/endpoint.h"
#include "net/prefix.h"

namespace ginnel::wg {

struct AllowedIpChange {
  net::Prefix prefix;
  bool remove = false;  // Else it is added, and moves here from whichever peer had it.

  friend bool operator==(const AllowedIpChange&, const AllowedIpChange&) = default;
};

// What happens to one peer. One change may name a peer twice; the entries apply in order. Devices
// are configured with 100,000 of these at once, so the members are in the order of their size.
struct PeerChange {
  std::vector<AllowedIpChange> allowed_ips;
  crypto::PublicKey public_key;
  std::optional<net::Endpoint> endpoint;                      // Absent: as it was.
  std::optional<crypto::PresharedKey> preshared_key;          // Zeros: none.
  std::optional<std::uint16_t> persistent_keepalive_seconds;  // Zero: off.
  bool remove = false;                                        // The rest is then ignored.
  bool update_only = false;                                   // Do nothing for an unknown peer.
  bool replace_allowed_ips = false;                           // Before allowed_ips are applied.
  // Begins a handshake, unless one was begun in the last kRekeyTimeout. Sessions go on. The control
  // socket has no word for it.
  bool greet = false;
};

struct DeviceChange {
  std::optional<crypto::PrivateKey> private_key;  // Zeros: unset.
  std::optional<std::uint16_t> listen_port;       // Zero: any free port.
  std::optional<std::uint32_t> fwmark;            // Zero: off.
  bool replace_peers = false;                     // Before `peers` are applied.
  std::vector<PeerChange> peers;
};

// Something that was counted, under a name of [a-z0-9_]: drops by cause, failures by cause.
struct NamedCounter {
  std::string name;
  std::uint64_t value = 0;

  friend bool operator==(const NamedCounter&, const NamedCounter&) = default;
};

struct PeerStatus {
  crypto::PublicKey public_key;
  std::optional<crypto::PresharedKey> preshared_key;
  std::optional<net::Endpoint> endpoint;
  std::optional<UnixTime> last_handshake;  // Absent: never.
  MonoTime last_initiation_sent = kNever;  // None is sent for kRekeyTimeout after it.
  std::uint64_t rx_bytes = 0;
  std::uint64_t tx_bytes = 0;
  std::uint16_t persistent_keepalive_seconds = 0;  // Zero: off.
  std::vector<net::Prefix> allowed_ips;
  std::vector<NamedCounter> counters;
};

struct DeviceStatus {
  std::optional<crypto::PrivateKey> private_key;
  std::optional<crypto::PublicKey> public_key;  // There is one whenever there is a private key.
  std::uint16_t listen_port = 0;                // Zero: not bound.
  std::uint32_t fwmark = 0;                     // Zero: off.
  std::vector<PeerStatus> peers;
  std::vector<NamedCounter> counters;
};

}  // namespace ginnel::wg

// The generic netlink messages of the kernel's WireGuard, as values: what a device is, read from as
// many messages as it takes, and changes of one, cut into messages that the kernel accepts. Keys
// are bytes here. Pure functions over one message; the conversation is kernel_wireguard.h's.
#pragma once

#include <array>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "base/secret.h"
#include "base/time.h"
#include "net/endpoint.h"
#include "net/prefix.h"

struct nlmsghdr;

namespace ginnel::os {

inline constexpr std::size_t kWireguardKeySize = 32;
using WireguardKey = std::array<std::uint8_t, kWireguardKeySize>;

struct WireguardPeerState {
  WireguardKey public_key{};
  Secret<kWireguardKeySize> preshared_key{};  // Zeros: none.
  std::optional<net::Endpoint> endpoint{};
  std::optional<UnixTime> last_handshake{};  // Absent: never.
  std::uint64_t rx_bytes = 0;
  std::uint64_t tx_bytes = 0;
  std::uint16_t persistent_keepalive_seconds = 0;
  std::vector<net::Prefix> allowed_ips{};
};

struct WireguardState {
  Secret<kWireguardKeySize> private_key{};  // Zeros: none.
  WireguardKey public_key{};
  std::uint16_t listen_port = 0;
  std::uint32_t fwmark = 0;
  std::vector<WireguardPeerState> peers{};
};

// Puts the messages of one answer together: a device that has more peers, and a peer that has more
// allowed IPs, than fit into a message goes on in the next.
class WireguardReader {
 public:
  static constexpr std::size_t kMaxPeers = std::size_t{1} << 20;
  static constexpr std::size_t kMaxAllowedIps = std::size_t{1} << 23;  // Of all peers.

  explicit WireguardReader(std::size_t max_peers = kMaxPeers,
                           std::size_t max_allowed_ips = kMaxAllowedIps)
      : max_peers_(max_peers), max_allowed_ips_(max_allowed_ips) {}

  void read(const nlmsghdr& message);
  // Forgets what was read, for an answer that starts again.
  void restart();
  // Fails when there was more than the limits allow.
  Result<WireguardState> take();

 private:
  void read_peers(ByteView bytes);
  void read_peer(ByteView bytes);
  void read_allowed_ips(ByteView bytes, WireguardPeerState& peer);

  std::size_t max_peers_;
  std::size_t max_allowed_ips_;
  std::size_t allowed_ips_ = 0;
  bool too_much_ = false;
  WireguardState state_;
};

// What these point to has to live until the messages are made.
struct WireguardPeerChange {
  ByteView public_key{};
  ByteView preshared_key{};  // Empty: as it was. Zeros: none.
  std::optional<net::Endpoint> endpoint{};
  std::optional<std::uint16_t> persistent_keepalive_seconds{};
  std::vector<net::Prefix> allowed_ips{};
  bool remove = false;
  bool update_only = false;
  bool replace_allowed_ips = false;
};

struct WireguardChange {
  ByteView private_key{};  // Empty: as it was. Zeros: none.
  std::optional<std::uint16_t> listen_port{};
  std::optional<std::uint32_t> fwmark{};
  bool replace_peers = false;
  std::vector<WireguardPeerChange> peers{};
};

// No longer than an attribute may be, which the list of peers is.
inline constexpr std::size_t kMaxWireguardMessage = std::size_t{32} * 1024;

// Calls `each` for one message after the other, until one fails. They are requests, without a
// sequence number, and are erased behind it.
Status for_each_wireguard_message(std::uint16_t family, const std::string& interface,
                                  const WireguardChange& change,
                                  const std::function<Status(nlmsghdr&)>& each);

}  // namespace ginnel::os

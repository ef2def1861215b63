// The configuration of `ginnel server`: flags over server.toml over defaults, and the peers. A
// ServerConfig that exists is valid, so nothing downstream checks again. Pure: files are read and
// the environment is looked at by whoever calls this.
#pragma once

#include "core/config/address_pool.h"
#include "core/config/server_peer.h"

namespace ginnel::config {

inline constexpr std::uint16_t kDefaultListenPort = 51820;
inline constexpr std::uint16_t kDefaultMtu = 1420;
inline constexpr std::uint16_t kDefaultMetricsPort = 9586;
inline constexpr std::uint16_t kMinMtu = 576;
inline constexpr std::uint16_t kMinMtu6 = 1280;  // RFC 8200, section 5.
inline constexpr std::size_t kMaxServerPeers = 100'000;
inline constexpr std::size_t kMaxInterfaceName = 15;

// The flags of `ginnel server` as they were written; absent ones were not given. The environment's
// GINNEL_... twins go into the fields that the command line left empty.
struct ServerFlags {
  std::optional<std::string> private_key_file;    // --private-key-file PATH
  std::optional<std::string> private_key;         // --private-key KEY; it shows in process lists.
  std::optional<std::string> listen;              // --listen [ADDRESS:]PORT
  std::optional<std::string> subnet;              // --subnet PREFIX
  std::optional<std::string> subnet6;             // --subnet6 PREFIX|none
  std::optional<std::string> server_ip;           // --server-ip ADDRESS
  std::optional<std::string> subnet_mask;         // --subnet-mask BITS, with --server-ip.
  std::optional<std::string> interface;           // --interface NAME
  std::optional<std::string> outbound_interface;  // --outbound-interface NAME
  std::optional<std::string> endpoint;            // --endpoint HOST[:PORT]
  std::optional<std::string> mtu;                 // --mtu BYTES
  std::optional<std::string> metrics_listen;      // --metrics-listen ADDRESS:PORT|none
  std::optional<bool> open_firewall;              // --open-firewall
  std::optional<bool> client_to_client;           // --client-to-client, --no-client-to-client
  std::vector<std::string> dns;                   // --dns ADDRESS|builtin, repeated.
  std::vector<std::string> peers;                 // --peer KEY or KEY,PREFIX[,PREFIX...], repeated.
  std::vector<std::string> peer_ips;              // --peer-ip PREFIX: the n-th is that of the n-th
                                                  // --peer without one.
};

struct ListenAddress {
  std::optional<net::Address> address;  // Absent: every address of both families.
  std::uint16_t port = kDefaultListenPort;

  // ADDRESS:PORT, :PORT, PORT or ADDRESS; 0.0.0.0 and [::] both mean every address.
  static Result<ListenAddress> parse(std::string_view text);
  friend bool operator==(const ListenAddress&, const ListenAddress&) = default;
};

struct ServerConfig {
  // Without a file and a key, the server makes its key in its state directory.
  std::optional<std::string> private_key_file;
  std::optional<crypto::PrivateKey> private_key;
  std::optional<std::string> interface;  // Absent: wg0, or the first wgN that is free.
  ListenAddress listen;
  Subnets subnets;
  HostAddresses own;  // The server's addresses inside the tunnel.
  std::uint16_t mtu = kDefaultMtu;
  std::optional<std::string> outbound_interface;  // Absent: follows the default routes.
  std::optional<HostPort> endpoint;               // Absent: the uplink's address.
  std::vector<net::Address> dns;                  // Empty: the host's own resolvers.
  bool dns_builtin = false;                       // Clients ask the server itself.
  std::vector<std::string> dns_search;
  bool client_to_client = false;
  net::FlowRules rules;              // What clients may open, whichever of them.
  std::vector<net::FlowRule> admit;  // Who else may open connections to clients.
  bool open_firewall = false;
  std::optional<net::Endpoint> metrics_listen;  // Absent: no metrics.
  std::vector<ServerPeer> peers;                // In the order of their names.

  const ServerPeer* find_peer(std::string_view name) const;
};

struct ServerInputs {
  ServerFlags flags;
  const TomlDocument* file = nullptr;  // server.toml, if there is one.
  std::vector<ServerPeer> peers;       // From peers.d.
  net::Prefix generated_subnet6;       // Used when neither flag nor file says; see choices.h.
};

// Fails with one line that names the flag, or FILE:LINE: KEY, and the remedy.
Result<ServerConfig> make_server_config(ServerInputs inputs);

// What can only be checked once the server has its key.
Status check_own_key(const ServerConfig& config, const crypto::PublicKey& own);

// The addresses that are taken: the server's and those of every peer, disabled ones included.
AddressPool address_pool(const ServerConfig& config);

// What a change of one peer does to the device: adds or updates it whole, or removes it. The
// endpoint is the looked-up one.
wg::PeerChange to_peer_change(const ServerPeer& peer, std::optional<net::Endpoint> endpoint);
// The peers of `after` that are new or differ, and those of `before` that must go; peers that did
// not change are not named, so their sessions go on. Disabled peers count as absent. Endpoints are
// those that are addresses; names are the caller's to look up.
std::vector<wg::PeerChange> changed_peers(const std::vector<ServerPeer>& before,
                                          const std::vector<ServerPeer>& after);

}  // namespace ginnel::config

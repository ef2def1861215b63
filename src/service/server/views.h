// What a running server tells about itself: the JSON of its control socket and of `--json`. Fields
// are added, never renamed or retyped. No private key is in any of them.
#pragma once

#include "core/config/host_port.h"
#include "core/crypto/keys.h"
#include "http/json.h"
#include "net/endpoint.h"
#include "net/prefix.h"

namespace ginnel::server {

struct PeerView {
  std::string name;
  crypto::PublicKey public_key;
  bool enabled = true;
  std::vector<net::Address> addresses;
  std::vector<net::Prefix> allowed_ips;
  // What it may open, as its file says. Null: no list, so everything that is not denied.
  http::Nullable<std::vector<std::string>> allow;
  std::vector<std::string> deny;
  std::string source;  // The file or flag that it comes from.
  http::Nullable<std::string> created;
  bool has_private_key = false;  // The server can still show the client's file.
  bool has_preshared_key = false;

  // Null where no server runs.
  http::Nullable<net::Endpoint> endpoint;
  http::Nullable<UnixTime> last_handshake;  // Null too when there never was one.
  std::uint64_t rx_bytes = 0;               // Over all runs of the server.
  std::uint64_t tx_bytes = 0;
  http::Nullable<double> rx_bytes_per_second;
  http::Nullable<double> tx_bytes_per_second;
  std::uint64_t handshakes = 0;
  std::map<std::string, std::uint64_t> handshake_failures;  // By cause.
};
BOOST_DESCRIBE_STRUCT(PeerView, (),
                      (name, public_key, enabled, addresses, allowed_ips, allow, deny, source,
                       created, has_private_key, has_preshared_key, endpoint, last_handshake,
                       rx_bytes, tx_bytes, rx_bytes_per_second, tx_bytes_per_second, handshakes,
                       handshake_failures))

struct PeerDocument {
  int version = 1;
  PeerView peer;
};
BOOST_DESCRIBE_STRUCT(PeerDocument, (), (version, peer))

struct PeerListDocument {
  int version = 1;
  std::vector<PeerView> peers;
};
BOOST_DESCRIBE_STRUCT(PeerListDocument, (), (version, peers))

// Something that somebody should look at.
struct Finding {
  std::string code;  // "firewall-blocks-overlay"
  std::string message;
  std::string fix;  // A command or what else to do; may be empty.

  friend bool operator==(const Finding&, const Finding&) = default;
};
BOOST_DESCRIBE_STRUCT(Finding, (), (code, message, fix))

enum class ServerState {
  Online,
  Blocked,   // Another firewall drops what clients send.
  NoUplink,  // No way out of this host in any family.
};
BOOST_DESCRIBE_ENUM(ServerState, Online, Blocked, NoUplink)

struct ServerView {
  int version = 1;
  ServerState state = ServerState::Online;
  std::vector<Finding> findings;
  std::int64_t process = 0;
  std::string interface;
  crypto::PublicKey public_key;
  http::Nullable<net::Address> listen_address;  // Null: every address.
  std::uint16_t listen_port = 0;
  http::Nullable<std::string> endpoint;  // What clients are told to connect to.
  std::vector<net::Prefix> subnets;
  std::vector<net::Address> addresses;
  std::uint16_t mtu = 0;
  http::Nullable<std::string> uplink_ipv4;
  http::Nullable<std::string> uplink_ipv6;
  bool client_to_client = false;
  UnixTime started{};
  Duration uptime{};
  std::uint64_t peers = 0;
  std::uint64_t peers_enabled = 0;
  std::uint64_t peers_active = 0;  // With a session that is alive.
  std::uint64_t rx_bytes = 0;      // Over all runs of the server.
  std::uint64_t tx_bytes = 0;
  double rx_bytes_per_second = 0;
  double tx_bytes_per_second = 0;
  std::map<std::string, std::uint64_t> drops;  // By reason, since the start.
};
BOOST_DESCRIBE_STRUCT(ServerView, (),
                      (version, state, findings, process, interface, public_key, listen_address,
                       listen_port, endpoint, subnets, addresses, mtu, uplink_ipv4, uplink_ipv6,
                       client_to_client, started, uptime, peers, peers_enabled, peers_active,
                       rx_bytes, tx_bytes, rx_bytes_per_second, tx_bytes_per_second, drops))

// A request for a new peer, as it was written on a command line: what is wrong with it is said
// where it is carried out. It may hold a preshared key.
struct NewPeerView {
  std::string name;
  std::optional<std::string> public_key;
  std::optional<std::string> preshared_key;
  std::optional<bool> make_preshared_key;
  std::optional<std::vector<std::string>> addresses;
  std::optional<std::vector<std::string>> allowed_ips;
  std::optional<std::vector<std::string>> allow;
  std::optional<std::vector<std::string>> deny;
  std::optional<std::string> endpoint;
  std::optional<std::string> persistent_keepalive;
};
BOOST_DESCRIBE_STRUCT(NewPeerView, (),
                      (name, public_key, preshared_key, make_preshared_key, addresses, allowed_ips,
                       allow, deny, endpoint, persistent_keepalive))

// New lists for a peer, as they were written on a command line. Absent: the list stays; empty: it
// goes.
struct RuleChangeView {
  std::optional<std::vector<std::string>> allow;
  std::optional<std::vector<std::string>> deny;
};
BOOST_DESCRIBE_STRUCT(RuleChangeView, (), (allow, deny))

// What an edit or a reload changed.
struct ChangeView {
  int version = 1;
  std::uint64_t added = 0;
  std::uint64_t changed = 0;
  std::uint64_t removed = 0;
  std::vector<std::string> settings;  // Of [server], by name.
  std::vector<std::string> warnings;

  bool is_empty() const { return added + changed + removed == 0 && settings.empty(); }
};
BOOST_DESCRIBE_STRUCT(ChangeView, (), (version, added, changed, removed, settings, warnings))

}  // namespace ginnel::server

// What a running gateway tells about itself: the JSON of its control socket and of `--json`. Fields
// are added, never renamed or retyped. No private key is in any of them.
#pragma once

#include "core/crypto/keys.h"
#include "http/json.h"
#include "net/endpoint.h"
#include "net/prefix.h"

namespace ginnel::gateway {

enum class TunnelState {
  Up,      // It has a session that is alive.
  Idle,    // It has none, and nobody has asked for one in vain.
  Failed,  // It did not answer when it was last asked.
};
BOOST_DESCRIBE_ENUM(TunnelState, Up, Idle, Failed)

struct TunnelView {
  std::string interface;
  std::string file;
  TunnelState state = TunnelState::Idle;
  bool active = false;  // It carries the traffic.
  http::Nullable<crypto::PublicKey> public_key;
  crypto::PublicKey peer;
  http::Nullable<net::Endpoint> endpoint;  // In use.
  std::vector<net::Endpoint> endpoints;    // Where the peer may be; the lock lets these through.
  http::Nullable<std::string> name;        // By which the file knows its peer.
  std::vector<net::InterfaceAddress> addresses;
  std::vector<net::Address> dns;
  std::uint32_t mtu = 0;
  bool ipv4 = false;  // It carries the family.
  bool ipv6 = false;
  http::Nullable<UnixTime> last_handshake;  // Null: never.
  std::uint64_t rx_bytes = 0;               // Since the gateway started, as all that follows.
  std::uint64_t tx_bytes = 0;
  std::uint64_t failures = 0;   // How often it did not answer.
  std::uint64_t takeovers = 0;  // How often it took the traffic over from another.
};
BOOST_DESCRIBE_STRUCT(TunnelView, (),
                      (interface, file, state, active, public_key, peer, endpoint, endpoints, name,
                       addresses, dns, mtu, ipv4, ipv6, last_handshake, rx_bytes, tx_bytes,
                       failures, takeovers))

// As of a look at the host, some seconds ago at most.
struct LockView {
  std::string state;
  bool armed = false;
  std::vector<std::string> missing;
  bool owned = false;
  bool guarded = false;
  std::string hash;
  std::uint64_t stopped_local = 0;
  std::uint64_t stopped_forwarded = 0;
  std::uint64_t stopped_devices = 0;
  std::uint64_t refused_input = 0;
};
BOOST_DESCRIBE_STRUCT(LockView, (),
                      (state, armed, missing, owned, guarded, hash, stopped_local,
                       stopped_forwarded, stopped_devices, refused_input))

// Something that somebody should look at.
struct Finding {
  std::string code;  // "firewall-blocks"
  std::string message;
  std::string fix;  // A command or what else to do; may be empty.

  friend bool operator==(const Finding&, const Finding&) = default;
};
BOOST_DESCRIBE_STRUCT(Finding, (), (code, message, fix))

enum class GatewayState {
  Connected,
  Connecting,  // No tunnel answers, or none has yet.
};
BOOST_DESCRIBE_ENUM(GatewayState, Connected, Connecting)

struct GatewayView {
  int version = 1;
  GatewayState state = GatewayState::Connecting;
  std::vector<Finding> findings;
  std::int64_t process = 0;
  bool kill_switch = true;
  http::Nullable<LockView> lock;  // Null: none, or it cannot be told.
  std::vector<std::string> lan;
  std::vector<net::Prefix> manage;
  std::vector<net::Address> dhcp_servers;  // Asked directly to renew the host's own leases.
  std::uint32_t fwmark = 0;
  std::uint32_t table = 0;
  UnixTime started{};
  Duration uptime{};
  std::uint64_t failovers = 0;  // How often the traffic moved to another tunnel.
  std::uint64_t reloads = 0;
  std::map<std::string, std::uint64_t> dns;  // What the LAN's resolver did; empty: there is none.
  std::vector<TunnelView> tunnels;           // In the order of preference.

  bool is_well() const {
    return state == GatewayState::Connected && (!kill_switch || (lock.value && lock.value->armed));
  }
};
BOOST_DESCRIBE_STRUCT(GatewayView, (),
                      (version, state, findings, process, kill_switch, lock, lan, manage,
                       dhcp_servers, fwmark, table, started, uptime, failovers, reloads, dns,
                       tunnels))

// What reading the files again changed.
struct ChangeView {
  int version = 1;
  std::map<std::string, std::vector<std::string>> tunnels;  // The keys of each that differ.
  std::vector<std::string> warnings;
};
BOOST_DESCRIBE_STRUCT(ChangeView, (), (version, tunnels, warnings))

// A reload that was begun: who asked asks for its end.
struct ReloadTicket {
  std::uint64_t number = 0;
};
BOOST_DESCRIBE_STRUCT(ReloadTicket, (), (number))

}  // namespace ginnel::gateway

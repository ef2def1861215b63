// What a kill switch lets through. All three of its layers (routing, filter, devices) are rendered
// from this one value, so that they cannot disagree: lock_routing.h, lock_tables.h. A value;
// whoever locks (`ginnel killswitch`, `ginnel gateway`) fills it in, service/killswitch makes it
// so.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/hostnet/host_state.h"
#include "core/hostnet/owner.h"
#include "net/endpoint.h"

namespace ginnel::hostnet {

enum class LockState : std::uint8_t {
  Off,         // Nothing is there.
  Locked,      // Nothing leaves but what is excepted: LAN, allowed prefixes, management.
  Connecting,  // Also the tunnel's own datagrams.
  Connected,   // Also the traffic through the tunnel.
  Error,       // The policy is in doubt: management and LAN only, and no transport.
};
std::string_view name_of(LockState state);  // "connected".

// Bits of a packet's or a connection's mark. The others belong to somebody else.
struct MarkBits {
  std::uint32_t value = 0;
  std::uint32_t mask = UINT32_MAX;
  friend bool operator==(const MarkBits&, const MarkBits&) = default;
};

// A network that the host serves: reached directly, and through the tunnel it reaches the internet.
struct LockedLan {
  std::string interface{};
  std::vector<net::Prefix> prefixes{};  // What may be sent there; nothing else.
  friend bool operator==(const LockedLan&, const LockedLan&) = default;
};

// An interface that packets may leave the host by: every one but lo and the tunnels.
struct LockedDevice {
  std::string name{};
  std::uint8_t number = 0;  // Not 0; in the marks of management connections that came in by it.
  std::string lan{};        // Of the LAN whose interface, or bridge port, it is. Empty: outside.
  friend bool operator==(const LockedDevice&, const LockedDevice&) = default;
};

// A program that goes beside the tunnel: all of a user's, or those whose sockets were made in a
// cgroup (v2) or below it. Never by name, which anybody can take.
struct SplitProgram {
  static constexpr std::uint32_t kNoUser = UINT32_MAX;
  std::uint32_t user = kNoUser;  // kNoUser: known by its cgroup.
  std::string cgroup{};          // Below the root: "system.slice/backup.service".
  std::uint64_t cgroup_id = 0;   // Of the host as it is. 0: there is no such group now.

  bool has_user() const { return user != kNoUser; }
  bool is_present() const { return has_user() || cgroup_id != 0; }
  std::string to_string() const;  // "uid 1000", "cgroup system.slice/backup.service".
  friend bool operator==(const SplitProgram&, const SplitProgram&) = default;
};

// A route to a public network, by where it leads.
struct KnownRoute {
  net::Prefix destination{};
  std::string interface{};
  friend bool operator==(const KnownRoute&, const KnownRoute&) = default;
};

struct LockPolicy {
  static constexpr std::size_t kMaxEndpoints = 64;
  static constexpr std::size_t kMaxDevices = 1024;
  static constexpr std::size_t kMaxPrefixes = 256;  // Of each list.
  static constexpr std::size_t kMaxInterfaces = 64;
  static constexpr std::size_t kMaxOwnAddresses = 256;
  static constexpr std::size_t kMaxKnownRoutes = 256;
  static constexpr std::size_t kMaxSplit = 64;
  static constexpr std::size_t kMaxCgroupPath = 1024;

  LockState state = LockState::Off;
  std::string holder{};  // Who asked for it: "killswitch", "gateway:wg0".
  // Tables that nobody else can change, where the kernel has such. Else they are watched only.
  bool owned = true;

  // Of the tunnel's own datagrams.
  MarkBits mark{.value = 0x8888, .mask = 0xffff};
  // Of management connections; the value is the number of the device they came in by.
  MarkBits manage_mark{.value = 0, .mask = 0x00ff0000};
  // Of what programs beside the tunnel send, and of their connections; the value is the place in
  // `split`, from 1.
  MarkBits split_mark{.value = 0, .mask = 0xff000000};
  std::uint32_t table = 1000;
  std::uint32_t allowed_priority = 5;
  std::uint32_t tunnel_priority = 10;  // The two before it are those of `split`.
  std::uint32_t unreachable_priority = 11;

  std::vector<net::Endpoint> endpoints{};  // Of peers: exactly these, with the mark, over UDP.
  std::vector<std::uint16_t>
      listen_ports{};  // Of the tunnels, for what endpoints send. Empty: any.
  // Asked for an endpoint's name, with the mark, while connecting: exactly these, over UDP and TCP,
  // and no longer than this after the tables were loaded, whatever becomes of who asks.
  static constexpr std::chrono::seconds kResolversLast{20};
  std::vector<net::Endpoint> resolvers{};

  std::vector<std::string> tunnels{};  // The first has the default route.
  std::vector<net::Address> tunnel_addresses{};
  std::vector<net::Address> dns{};  // Through the tunnel. Other servers are not reached at all.

  std::vector<LockedLan> lans{};
  std::vector<net::Prefix> allowed{};  // Reached directly: LAN access.
  std::vector<SplitProgram> split{};   // Reach everything directly,
  bool split_dns = false;              // other DNS servers than `dns` included.
  std::vector<net::Prefix> manage{};   // May come in; only replies go back.
  // Of this host on the devices that lead outside: what comes to them from a wide prefix of
  // `manage` is answered from them. Empty unless there is one.
  std::vector<net::InterfaceAddress> own_addresses{};
  std::vector<net::Address> dhcp_servers{};
  std::vector<LockedDevice> devices{};
  // Those that stood when it was locked. Absent: nobody has looked, or there were too many.
  std::optional<std::vector<KnownRoute>> known_routes{};

  // The one lock of a host.
  static Owner owner() { return {.role = "lock", .interface = "host"}; }

  // Between those of what is allowed and of the tunnel.
  std::uint32_t split_dns_priority() const { return tunnel_priority - 2; }
  std::uint32_t split_priority() const { return tunnel_priority - 1; }

  bool passes_transport() const {
    return state == LockState::Connecting || state == LockState::Connected;
  }
  bool passes_tunnel() const { return state == LockState::Connected; }
  bool passes_allowed() const { return state != LockState::Off && state != LockState::Error; }

  const LockedLan* lan_of(const LockedDevice& device) const;
  MarkBits manage_mark_of(const LockedDevice& device) const;
  MarkBits split_mark_of(std::size_t place) const;

  friend bool operator==(const LockPolicy&, const LockPolicy&) = default;
};

// Whether it can be rendered: limits, marks that share no bits, devices with numbers.
Status check(const LockPolicy& policy);

// The devices of a host as it is. The number of each comes from its index, so it stays as long as
// the device does.
std::vector<LockedDevice> lockable_devices(const HostState& host,
                                           const std::vector<std::string>& tunnels,
                                           const std::vector<LockedLan>& lans);

// Whether so much of the internet lies in it that the tunnel would be left with little, were what
// goes there led around it: 0.0.0.0/0 and the like.
bool is_wide(const net::Prefix& prefix);

// LockPolicy::own_addresses of a policy whose devices are known; those beyond the limit are left
// out.
std::vector<net::InterfaceAddress> addresses_to_answer_from(const HostState& host,
                                                            const LockPolicy& policy);

// Whether all of it is: what nobody routes over the internet.
bool is_private(const net::Prefix& prefix);

// For access to the local network: the prefixes that the host is in, but only those that are
// private as a whole, whatever a DHCP server says, and never the tunnels' own.
std::vector<net::Prefix> local_prefixes(const HostState& host,
                                        const std::vector<std::string>& tunnels);

}  // namespace ginnel::hostnet

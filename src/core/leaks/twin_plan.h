// What a twin of a host is made of, so that a lock can be attacked without touching the host: its
// interfaces by the same names, roles and addresses, and around it an internet and LANs that are
// nobody's. Pure: from the host as it is and the lock's policy. service/leaktest builds it.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "core/hostnet/lock_policy.h"

namespace ginnel::leaks {

inline constexpr std::size_t kMaxTwinLinks = 64;
inline constexpr net::Family kFamilies[] = {net::Family::V4, net::Family::V6};

// One of something for each family; absent where there is none.
template <class T>
class PerFamily {
 public:
  std::optional<T>& operator[](net::Family family) { return each_[index(family)]; }
  const std::optional<T>& operator[](net::Family family) const { return each_[index(family)]; }

 private:
  static std::size_t index(net::Family family) { return family == net::Family::V4 ? 0 : 1; }
  std::array<std::optional<T>, 2> each_{};
};

// Where an interface leads.
enum class Role : std::uint8_t { Uplink, Lan, Container };

// An interface of the twin, and the other end of its cable: in the internet for an uplink, else
// with the members. Bridges have no cable; their ports do.
struct TwinLink {
  std::string name{};
  std::string far{};        // The name of the other end.
  std::uint32_t index = 0;  // As on the host, or 0.
  std::uint32_t mtu = 0;
  Role role = Role::Uplink;
  bool is_bridge = false;
  std::string master{};  // The bridge that it is a port of.
  std::vector<net::InterfaceAddress> addresses{};
  std::vector<net::InterfaceAddress> far_addresses{};
};

struct UplinkEnds {
  net::Address own{};        // The host's.
  net::Address router{};     // The next hop.
  net::Address neighbour{};  // Somebody else on that network; where there is room for nobody, the
                             // router again.
};
struct TwinUplink {
  std::string name{};
  PerFamily<UplinkEnds> ends{};
};

// Somebody behind a LAN interface or in a container.
struct MemberEnds {
  net::Address own{};
  net::Address host{};  // The host's address there: its router. Unspecified: there is none.
};
struct TwinMember {
  Role role = Role::Lan;
  std::string interface{};  // The host's, which it is behind: the bridge for a port.
  std::string port{};       // The host's end of its cable.
  PerFamily<MemberEnds> ends{};
};

struct TwinPlan {
  hostnet::LockPolicy policy{};
  std::vector<TwinLink> links{};             // Bridges before their ports.
  std::vector<hostnet::Route> routes{};      // Of the host, main table; may name next hops first.
  std::vector<hostnet::Route> far_routes{};  // Of the internet, back to the members.
  std::vector<TwinUplink> uplinks{};         // At least one.
  std::vector<TwinMember> members{};         // At least one: a container.
  // On the internet: what attacks want to reach, the peers' endpoints, and the servers inside the
  // tunnel.
  PerFamily<net::Address> internet{};
  std::vector<net::Address> far_hosts{};
  // A network that a hostile DHCP server could give out as the local one.
  net::InterfaceAddress local_net{};    // The host's address in it.
  net::Address local_net_host{};        // Whom it is to make reachable.
  std::vector<std::string> left_out{};  // Interfaces beyond kMaxTwinLinks.

  const TwinUplink& first_uplink() const { return uplinks.front(); }
};

TwinPlan plan_twin(const hostnet::HostState& host, const hostnet::LockPolicy& policy);

}  // namespace ginnel::leaks

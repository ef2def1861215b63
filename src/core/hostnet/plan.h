// From a host as it is to the host that is wanted: a list of small operations, each with its
// inverse. Pure; os/host_changes.h carries them out and undoes them.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "core/hostnet/host_state.h"

namespace ginnel::hostnet {

struct SetLinkUp {
  std::string interface{};
  bool up = true;
  friend bool operator==(const SetLinkUp&, const SetLinkUp&) = default;
};
struct SetMtu {
  std::string interface{};
  std::uint32_t mtu = 0;
  std::uint32_t was = 0;
  friend bool operator==(const SetMtu&, const SetMtu&) = default;
};
struct AddAddress {
  std::string interface{};
  net::InterfaceAddress address{};
  friend bool operator==(const AddAddress&, const AddAddress&) = default;
};
struct RemoveAddress {
  std::string interface{};
  net::InterfaceAddress address{};
  friend bool operator==(const RemoveAddress&, const RemoveAddress&) = default;
};
struct AddRoute {
  Route route{};
  friend bool operator==(const AddRoute&, const AddRoute&) = default;
};
struct RemoveRoute {
  Route route{};
  friend bool operator==(const RemoveRoute&, const RemoveRoute&) = default;
};
struct AddRule {
  RoutingRule rule{};
  friend bool operator==(const AddRule&, const AddRule&) = default;
};
struct RemoveRule {
  RoutingRule rule{};
  friend bool operator==(const RemoveRule&, const RemoveRule&) = default;
};

using Operation = std::variant<SetLinkUp, SetMtu, AddAddress, RemoveAddress, AddRoute, RemoveRoute,
                               AddRule, RemoveRule>;

// What takes the operation back.
Operation inverse(const Operation& operation);
// "add 10.200.100.1/24 to wg0", for messages.
std::string describe(const Operation& operation);

// What was made earlier on an interface that others may add to.
struct FormerInterface {
  std::vector<net::InterfaceAddress> addresses{};
  std::vector<Route> routes{};
  friend bool operator==(const FormerInterface&, const FormerInterface&) = default;
};

// An interface of our own.
struct WantedInterface {
  std::string name{};
  std::uint32_t mtu = 0;
  bool up = true;
  std::vector<net::InterfaceAddress> addresses{};
  std::vector<Route> routes{};  // Besides those that the addresses bring. Of this interface.
  // Absent: what is not named above, it is not to have. Else only what this names goes away.
  std::optional<FormerInterface> former{};
  friend bool operator==(const WantedInterface&, const WantedInterface&) = default;
};

struct WantedNetwork {
  std::vector<WantedInterface> interfaces{};
  std::vector<Route> routes{};         // Of any interface. Added when missing; others are left
  std::vector<Route> former_routes{};  // alone, but for these, which go unless they are wanted.
  std::vector<RoutingRule> rules{};    // Likewise.
  std::vector<RoutingRule> former_rules{};
  friend bool operator==(const WantedNetwork&, const WantedNetwork&) = default;
};

// Whether both are for the same place, where the kernel has room for one: same table, destination
// and metric.
bool share_place(const Route& a, const Route& b);

// Fails when a wanted interface does not exist. IPv6 link-local addresses and what the kernel adds
// by itself are left alone.
Result<std::vector<Operation>> plan(const HostState& current, const WantedNetwork& wanted);

}  // namespace ginnel::hostnet

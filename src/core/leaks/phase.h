// What happens to a host while it is attacked: the states of its lock, and what others do to it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/hostnet/lock_policy.h"
#include "core/leaks/leak_class.h"

namespace ginnel::leaks {

enum class Event : std::uint8_t {
  None,
  UplinkReturns,     // The uplink goes down and comes up, as at boot.
  RouteInjected,     // Half the internet by way of the uplink, and a rule before ours.
  LocalNetInjected,  // A public network on the uplink.
  Flushed,           // Another program flushes the whole ruleset.
  OwnerKilled,       // The process that owns the tables dies, and then somebody flushes.
  Swapped,           // The lock changes all the time while probes are sent.
  EndpointChanged,
  FailedOver,    // Another tunnel carries the traffic.
  TableFlushed,  // The tunnel's routes are deleted.
  RulesDeleted,  // The policy rules.
  TunnelDown,
  TunnelDeleted,
};

struct Phase {
  std::string name{};
  hostnet::LockState state = hostnet::LockState::Off;
  Event event = Event::None;
  // Whose test the whole phase is; absent: each attack's own class.
  std::optional<LeakClass> leak_class{};
};

// In order. The first is the control: the lock is off, and every attack must be seen.
std::vector<Phase> make_phases(const hostnet::LockPolicy& policy);

}  // namespace ginnel::leaks

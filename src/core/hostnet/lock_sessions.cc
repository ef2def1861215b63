#include "core/hostnet/lock_sessions.h"

#include <algorithm>
#include <tuple>

namespace ginnel::hostnet {
namespace {

bool is_managed(const LockPolicy& policy, const net::Address& address) {
  return std::ranges::any_of(policy.manage,
                             [&](const net::Prefix& prefix) { return prefix.contains(address); });
}

bool came_in(const TcpSocket& session, const std::vector<TcpSocket>& sockets) {
  return std::ranges::any_of(sockets, [&](const TcpSocket& socket) {
    const net::Address& at = socket.local.address;
    // One that listens on :: may hear IPv4 as well.
    const bool hears = at.is_unspecified() || at == session.local.address;
    return socket.listens && socket.local.port == session.local.port && hears;
  });
}

// The device that the main table leads to.
const LockedDevice* device_towards(const LockPolicy& policy, const HostState& host,
                                   const net::Address& address) {
  const Route* best = nullptr;
  for (const Route& route : host.routes) {
    const bool leads = route.table == kMainTable && route.type == RouteType::Unicast &&
                       route.destination.family() == address.family() &&
                       route.destination.contains(address);
    if (!leads) continue;
    const bool is_better =
        !best || route.destination.length() > best->destination.length() ||
        (route.destination.length() == best->destination.length() && route.metric < best->metric);
    if (is_better) best = &route;
  }
  if (!best) return nullptr;
  const auto found = std::ranges::find(policy.devices, best->interface, &LockedDevice::name);
  return found == policy.devices.end() ? nullptr : &*found;
}

template <class Value>
bool has_all(const std::vector<Value>& wider, const std::vector<Value>& narrower) {
  return std::ranges::all_of(
      narrower, [&](const Value& value) { return std::ranges::find(wider, value) != wider.end(); });
}

bool has_lan(const LockPolicy& policy, const LockedLan& lan) {
  return std::ranges::any_of(policy.lans, [&](const LockedLan& other) {
    return other.interface == lan.interface && has_all(other.prefixes, lan.prefixes);
  });
}

// What says whose packets go where.
auto rules_of_way(const LockPolicy& policy) {
  return std::tie(policy.holder, policy.mark, policy.manage_mark, policy.split_mark, policy.table,
                  policy.split, policy.split_dns);
}

bool has_same_way(const LockPolicy& former, const LockPolicy& now) {
  const bool is_led = former.tunnels.empty() ||
                      (!now.tunnels.empty() && now.tunnels.front() == former.tunnels.front());
  return is_led && has_all(now.tunnels, former.tunnels) &&
         has_all(now.tunnel_addresses, former.tunnel_addresses) &&
         rules_of_way(former) == rules_of_way(now);
}

}  // namespace

bool connections_live_on(const LockPolicy& former, const LockPolicy& now) {
  // What else a state refuses, it refuses packet by packet.
  if (!former.passes_allowed() || !now.passes_allowed()) return false;
  return has_same_way(former, now) && has_all(now.allowed, former.allowed) &&
         has_all(now.manage, former.manage) &&
         std::ranges::all_of(former.lans, [&](const LockedLan& lan) { return has_lan(now, lan); });
}

std::vector<LiveSession> management_sessions(const LockPolicy& policy, const HostState& host,
                                             const std::vector<TcpSocket>& sockets) {
  std::vector<LiveSession> sessions;
  if (policy.state == LockState::Off) return sessions;
  for (const TcpSocket& socket : sockets) {
    if (socket.listens || !is_managed(policy, socket.remote.address)) continue;
    if (!came_in(socket, sockets) || sessions.size() == kMaxLiveSessions) continue;
    const LockedDevice* device = device_towards(policy, host, socket.remote.address);
    if (!device) continue;
    sessions.push_back(
        {.remote = socket.remote, .local = socket.local, .mark = policy.manage_mark_of(*device)});
  }
  return sessions;
}

}  // namespace ginnel::hostnet

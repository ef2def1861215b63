#include "core/hostnet/lock_policy.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

namespace ginnel::hostnet {
namespace {

Status check_count(std::string_view what, std::size_t count, std::size_t limit) {
  if (count <= limit) return ok();
  return fail(ErrorCode::Exhausted,
              fmt::format("kill switch: {} {}, over {}; name fewer", count, what, limit));
}

Status check_mark(std::string_view what, const MarkBits& mark) {
  if (mark.mask != 0 && (mark.value & ~mark.mask) == 0) return ok();
  return fail(ErrorCode::InvalidArgument,
              fmt::format("kill switch: the {} {:#x} has bits outside its mask {:#x}", what,
                          mark.value, mark.mask));
}

Status check_counts(const LockPolicy& policy) {
  const struct {
    std::string_view what;
    std::size_t count;
    std::size_t limit;
  } lists[] = {
      {"endpoints", policy.endpoints.size(), LockPolicy::kMaxEndpoints},
      {"listen ports", policy.listen_ports.size(), LockPolicy::kMaxEndpoints},
      {"resolvers", policy.resolvers.size(), LockPolicy::kMaxEndpoints},
      {"tunnels", policy.tunnels.size(), LockPolicy::kMaxInterfaces},
      {"tunnel addresses", policy.tunnel_addresses.size(), LockPolicy::kMaxPrefixes},
      {"DNS servers", policy.dns.size(), LockPolicy::kMaxPrefixes},
      {"LAN interfaces", policy.lans.size(), LockPolicy::kMaxInterfaces},
      {"allowed prefixes", policy.allowed.size(), LockPolicy::kMaxPrefixes},
      {"management prefixes", policy.manage.size(), LockPolicy::kMaxPrefixes},
      {"DHCP servers", policy.dhcp_servers.size(), LockPolicy::kMaxPrefixes},
      {"interfaces", policy.devices.size(), LockPolicy::kMaxDevices},
  };
  for (const auto& list : lists) {
    if (Status counted = check_count(list.what, list.count, list.limit); !counted) return counted;
  }
  for (const LockedLan& lan : policy.lans) {
    Status counted = check_count("LAN prefixes", lan.prefixes.size(), LockPolicy::kMaxPrefixes);
    if (!counted) return counted;
  }
  return ok();
}

// RFC 1918, RFC 4193, and what is never routed.
constexpr std::string_view kPrivate[] = {"10.0.0.0/8",     "172.16.0.0/12", "192.168.0.0/16",
                                         "169.254.0.0/16", "fc00::/7",      "fe80::/10"};

bool is_private(const net::Prefix& prefix) {
  return std::ranges::any_of(kPrivate, [&](std::string_view text) {
    return net::Prefix::parse(text).value().contains(prefix);
  });
}

}  // namespace

std::string_view name_of(LockState state) {
  switch (state) {
    case LockState::Off:
      return "off";
    case LockState::Locked:
      return "locked";
    case LockState::Connecting:
      return "connecting";
    case LockState::Connected:
      return "connected";
    case LockState::Error:
      return "error";
  }
  std::unreachable();
}

const LockedLan* LockPolicy::lan_of(const LockedDevice& device) const {
  if (device.lan.empty()) return nullptr;
  const auto found = std::ranges::find(lans, device.lan, &LockedLan::interface);
  return found == lans.end() ? nullptr : &*found;
}

MarkBits LockPolicy::manage_mark_of(const LockedDevice& device) const {
  const auto shift = std::countr_zero(manage_mark.mask);
  return {.value = std::uint32_t{device.number} << shift, .mask = manage_mark.mask};
}

Status check(const LockPolicy& policy) {
  if (Status counted = check_counts(policy); !counted) return counted;
  if (Status fits = check_mark("mark", policy.mark); !fits) return fits;
  if (Status fits = check_mark("mark of management", policy.manage_mark); !fits) return fits;
  if (policy.mark.value == 0) {
    return fail(ErrorCode::InvalidArgument, "kill switch: the mark 0 is every packet's");
  }
  if (policy.mark.mask & policy.manage_mark.mask) {
    return fail(ErrorCode::InvalidArgument,
                fmt::format("kill switch: the mark's mask {:#x} and that of management {:#x} share "
                            "bits",
                            policy.mark.mask, policy.manage_mark.mask));
  }
  const std::uint32_t largest =
      policy.manage_mark.mask >> std::countr_zero(policy.manage_mark.mask);
  for (const LockedDevice& device : policy.devices) {
    if (device.number != 0 && device.number <= largest) continue;
    return fail(ErrorCode::InvalidArgument,
                fmt::format("kill switch: the number {} of interface {} is not from 1 to {}",
                            device.number, device.name, largest));
  }
  const bool ordered = policy.allowed_priority < policy.tunnel_priority &&
                       policy.tunnel_priority < policy.unreachable_priority;
  if (ordered) return ok();
  return fail(
      ErrorCode::InvalidArgument,
      fmt::format("kill switch: the rule priorities {}, {} and {} do not rise",
                  policy.allowed_priority, policy.tunnel_priority, policy.unreachable_priority));
}

std::vector<LockedDevice> lockable_devices(const HostState& host,
                                           const std::vector<std::string>& tunnels,
                                           const std::vector<LockedLan>& lans) {
  std::vector<LockedDevice> devices;
  for (const Link& link : host.links) {
    if (link.loopback || std::ranges::find(tunnels, link.name) != tunnels.end()) continue;
    LockedDevice device{.name = link.name,
                        .number = static_cast<std::uint8_t>(link.index % 255 + 1)};
    const auto master = std::ranges::find(host.links, link.master, &Link::index);
    for (const LockedLan& lan : lans) {
      const bool is_port = master != host.links.end() && master->name == lan.interface;
      if (is_port || link.name == lan.interface) device.lan = lan.interface;
    }
    devices.push_back(std::move(device));
  }
  std::ranges::sort(devices, {}, &LockedDevice::name);
  return devices;
}

std::vector<net::Prefix> local_prefixes(const HostState& host,
                                        const std::vector<std::string>& tunnels) {
  std::vector<net::Prefix> prefixes;
  for (const AssignedAddress& assigned : host.addresses) {
    const Link* link = host.find_link(assigned.interface);
    const bool is_tunnel = std::ranges::find(tunnels, assigned.interface) != tunnels.end();
    const net::Prefix subnet = assigned.address.subnet();
    if (!link || link->loopback || is_tunnel || subnet.is_host() || !is_private(subnet)) continue;
    prefixes.push_back(subnet);
  }
  std::ranges::sort(prefixes);
  prefixes.erase(std::ranges::unique(prefixes).begin(), prefixes.end());
  return prefixes;
}

}  // namespace ginnel::hostnet

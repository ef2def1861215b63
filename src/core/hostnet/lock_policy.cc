#include "core/hostnet/lock_policy.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "base/text.h"
#include "core/hostnet/nft_tree.h"

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

bool is_cgroup_path(std::string_view path) {
  if (path.size() > LockPolicy::kMaxCgroupPath) return false;
  const auto is_plain = [](char c) { return static_cast<unsigned char>(c) > ' ' && c != 0x7f; };
  const auto parts = split(path, '/');
  return parts.size() <= nft::kMaxCgroupLevel && std::ranges::all_of(path, is_plain) &&
         std::ranges::none_of(parts, [](std::string_view part) {
           return part.empty() || part == "." || part == "..";
         });
}

Status check_split(const LockPolicy& policy) {
  for (const SplitProgram& program : policy.split) {
    // The kernel's own packets, and those it forwards, are user 0's to the rules of routing.
    if (program.user == 0) {
      return fail(ErrorCode::InvalidArgument,
                  "kill switch: user 0 is the kernel and every service of the system; name a "
                  "cgroup instead");
    }
    if (program.has_user() || is_cgroup_path(program.cgroup)) continue;
    return fail(ErrorCode::InvalidArgument,
                fmt::format("kill switch: \"{}\" is no cgroup below the root; write it as "
                            "\"system.slice/backup.service\"",
                            program.cgroup));
  }
  if (policy.split.empty()) return ok();
  if (policy.split.size() > policy.split_mark.mask >> std::countr_zero(policy.split_mark.mask)) {
    return fail(ErrorCode::InvalidArgument,
                fmt::format("kill switch: the mask {:#x} has no room for {} programs beside the "
                            "tunnel",
                            policy.split_mark.mask, policy.split.size()));
  }
  if (policy.tunnel_priority - policy.allowed_priority > 2) return ok();
  return fail(ErrorCode::InvalidArgument,
              fmt::format("kill switch: programs beside the tunnel need two rule priorities "
                          "between {} and {}; leave room for them",
                          policy.allowed_priority, policy.tunnel_priority));
}

// Bits that two marks share would turn one into the other.
Status check_marks(const LockPolicy& policy) {
  const struct {
    std::string_view what;
    MarkBits mark;
  } marks[] = {{"mark", policy.mark},
               {"mark of management", policy.manage_mark},
               {"mark of programs beside the tunnel", policy.split_mark}};
  const std::size_t used = policy.split.empty() ? 2 : 3;
  for (std::size_t i = 0; i < used; ++i) {
    if (Status fits = check_mark(marks[i].what, marks[i].mark); !fits) return fits;
    for (std::size_t other = 0; other < i; ++other) {
      if ((marks[i].mark.mask & marks[other].mark.mask) == 0) continue;
      return fail(ErrorCode::InvalidArgument,
                  fmt::format("kill switch: the {} {:#x}/{:#x} and the {} {:#x}/{:#x} share bits; "
                              "choose another mark",
                              marks[other].what, marks[other].mark.value, marks[other].mark.mask,
                              marks[i].what, marks[i].mark.value, marks[i].mark.mask));
    }
  }
  if (policy.mark.value != 0) return ok();
  return fail(ErrorCode::InvalidArgument, "kill switch: the mark 0 is every packet's");
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
      {"own addresses", policy.own_addresses.size(), LockPolicy::kMaxOwnAddresses},
      {"DHCP servers", policy.dhcp_servers.size(), LockPolicy::kMaxPrefixes},
      {"interfaces", policy.devices.size(), LockPolicy::kMaxDevices},
      {"programs beside the tunnel", policy.split.size(), LockPolicy::kMaxSplit},
      {"known routes", policy.known_routes ? policy.known_routes->size() : 0,
       LockPolicy::kMaxKnownRoutes},
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

// The shortest that are not wide.
constexpr unsigned kShortestNarrow4 = 8;
constexpr unsigned kShortestNarrow6 = 16;

// RFC 1918, RFC 4193, and what is never routed.
constexpr std::string_view kPrivate[] = {"10.0.0.0/8",     "172.16.0.0/12", "192.168.0.0/16",
                                         "169.254.0.0/16", "fc00::/7",      "fe80::/10"};

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

MarkBits LockPolicy::split_mark_of(std::size_t place) const {
  const auto shift = std::countr_zero(split_mark.mask);
  return {.value = static_cast<std::uint32_t>(place + 1) << shift, .mask = split_mark.mask};
}

std::string SplitProgram::to_string() const {
  return has_user() ? fmt::format("uid {}", user) : "cgroup " + cgroup;
}

Status check(const LockPolicy& policy) {
  if (Status counted = check_counts(policy); !counted) return counted;
  if (Status marked = check_marks(policy); !marked) return marked;
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
  if (ordered) return check_split(policy);
  return fail(
      ErrorCode::InvalidArgument,
      fmt::format("kill switch: the rule priorities {}, {} and {} do not rise",
                  policy.allowed_priority, policy.tunnel_priority, policy.unreachable_priority));
}

bool is_wide(const net::Prefix& prefix) {
  return prefix.length() <
         (prefix.family() == net::Family::V4 ? kShortestNarrow4 : kShortestNarrow6);
}

std::vector<net::InterfaceAddress> addresses_to_answer_from(const HostState& host,
                                                            const LockPolicy& policy) {
  std::vector<net::InterfaceAddress> addresses;
  for (const AssignedAddress& own : host.addresses) {
    const auto device = std::ranges::find(policy.devices, own.interface, &LockedDevice::name);
    // What a LAN's members are answered, they are answered directly in any case.
    if (device == policy.devices.end() || !device->lan.empty()) continue;
    const bool is_asked = std::ranges::any_of(policy.manage, [&](const net::Prefix& prefix) {
      return is_wide(prefix) && prefix.family() == own.address.address.family();
    });
    if (is_asked) addresses.push_back(own.address);
  }
  std::ranges::sort(addresses);
  addresses.erase(std::ranges::unique(addresses).begin(), addresses.end());
  if (addresses.size() > LockPolicy::kMaxOwnAddresses) {
    addresses.resize(LockPolicy::kMaxOwnAddresses);
  }
  return addresses;
}

bool is_private(const net::Prefix& prefix) {
  return std::ranges::any_of(kPrivate, [&](std::string_view text) {
    return net::Prefix::parse(text).value().contains(prefix);
  });
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

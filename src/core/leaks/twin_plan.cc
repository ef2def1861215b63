#include "core/leaks/twin_plan.h"

#include <fmt/format.h>

#include <algorithm>

namespace ginnel::leaks {
namespace {

using hostnet::HostState;
using hostnet::Link;
using hostnet::LockPolicy;
using hostnet::Route;
using net::Address;
using net::Family;
using net::InterfaceAddress;
using net::Prefix;

// Of interfaces that the host does not have, but could have at any moment.
constexpr std::string_view kContainerName = "ginnel-twin-ct";
constexpr std::string_view kUplinkName = "ginnel-twin-up";

// What nobody uses, best first: for addresses that must not collide with the host's.
constexpr std::string_view kInternet4[] = {"203.0.113.77", "198.51.100.77", "192.0.2.77",
                                           "233.252.0.77", "8.8.8.8"};
constexpr std::string_view kInternet6[] = {"2001:db8:ffff::77", "2001:db8:eeee::77",
                                           "2606:4700:4700::1111"};
constexpr std::string_view kLocalNets[] = {"9.9.9.2/24", "149.112.112.2/24", "1.1.1.2/24"};
constexpr std::string_view kUplinks4[] = {"198.18.77.2/24", "198.19.77.2/24", "192.0.0.2/29"};
constexpr std::string_view kUplinks6[] = {"2001:db8:6c::2/64", "2001:db8:6d::2/64"};
constexpr std::string_view kMembers4[] = {"172.31.213.1/24", "192.168.213.1/24", "10.213.77.1/24"};
constexpr std::string_view kMembers6[] = {"fd67:6e6e:656c:1::1/64", "fd67:6e6e:656c:2::1/64"};

// Of default routes that the host does not have: behind all that it has.
constexpr std::uint32_t kFirstMetric = 1u << 20;

InterfaceAddress to_assigned(std::string_view text) {
  return InterfaceAddress::parse(text).value();
}
bool contains(const auto& list, const auto& value) {
  return std::ranges::find(list, value) != list.end();
}
bool has_port(const std::vector<TwinLink>& ports, const std::string& bridge) {
  return std::ranges::find(ports, bridge, &TwinLink::master) != ports.end();
}

class Planner {
 public:
  Planner(const HostState& host, const LockPolicy& policy) : host_(host) { plan_.policy = policy; }

  TwinPlan plan() {
    collect_taken();
    add_links();
    add_routes();
    for (const TwinLink& link : plan_.links) {
      if (link.role == Role::Uplink && link.master.empty()) add_uplink(link);
    }
    if (plan_.uplinks.empty()) {
      plan_.links.push_back({.name = std::string(kUplinkName)});
      add_uplink(plan_.links.back());
    }
    give_ways_out();
    plan_.links.push_back({.name = std::string(kContainerName), .role = Role::Container});
    add_members();
    name_far_ends();
    add_internet();
    return std::move(plan_);
  }

 private:
  void collect_taken();
  Role role_of(const Link& link) const;
  void add_links();
  void add_routes();
  void add_uplink(const TwinLink& link);
  void give_ways_out();
  void add_members();
  TwinMember make_member(const TwinLink& cable, const TwinLink& interface);
  void name_far_ends();
  void add_internet();
  void add_far_host(const Address& address);

  TwinLink& link(std::string_view name) {
    return *std::ranges::find(plan_.links, name, &TwinLink::name);
  }
  // Where a cable is plugged in: the interface itself, or the first port of a bridge.
  TwinLink& cable_of(TwinLink& interface) {
    if (!interface.is_bridge) return interface;
    const auto port = std::ranges::find(plan_.links, interface.name, &TwinLink::master);
    return port == plan_.links.end() ? interface : *port;
  }
  bool is_free(const Prefix& prefix) const {
    return std::ranges::none_of(taken_, [&](const Prefix& each) { return each.overlaps(prefix); });
  }
  template <std::size_t kSize>
  InterfaceAddress take_free(const std::string_view (&candidates)[kSize]) {
    for (std::string_view text : candidates) {
      const InterfaceAddress address = to_assigned(text);
      if (!is_free(address.subnet())) continue;
      taken_.push_back(address.subnet());
      return address;
    }
    return to_assigned(candidates[0]);
  }

  const HostState& host_;
  TwinPlan plan_;
  std::vector<Prefix> taken_;  // By the host or the policy: nothing that is attacked lies in it.
};

void Planner::collect_taken() {
  const LockPolicy& policy = plan_.policy;
  for (const auto* list : {&policy.allowed, &policy.manage}) {
    std::ranges::remove_copy_if(*list, std::back_inserter(taken_), hostnet::is_wide);
  }
  for (const hostnet::LockedLan& lan : policy.lans) {
    taken_.insert(taken_.end(), lan.prefixes.begin(), lan.prefixes.end());
  }
  for (const auto* list : {&policy.tunnel_addresses, &policy.dns, &policy.dhcp_servers}) {
    for (const Address& address : *list) taken_.push_back(Prefix::host(address));
  }
  for (const auto* list : {&policy.endpoints, &policy.resolvers}) {
    for (const net::Endpoint& each : *list) taken_.push_back(Prefix::host(each.address));
  }
  for (const hostnet::AssignedAddress& own : host_.addresses) {
    taken_.push_back(own.address.subnet());
  }
  for (const Route& route : host_.routes) {
    if (route.table == hostnet::kMainTable && !route.is_default()) {
      taken_.push_back(route.destination);
    }
  }
}

Role Planner::role_of(const Link& link) const {
  const auto master = std::ranges::find(host_.links, link.master, &Link::index);
  if (link.master != 0 && master != host_.links.end()) return role_of(*master);
  const auto& lans = plan_.policy.lans;
  const bool is_lan = std::ranges::any_of(
      lans, [&](const hostnet::LockedLan& lan) { return lan.interface == link.name; });
  if (is_lan) return Role::Lan;
  const bool leads_on = std::ranges::any_of(host_.routes, [&](const Route& route) {
    return route.table == hostnet::kMainTable && route.interface == link.name && route.gateway;
  });
  if (leads_on) return Role::Uplink;
  return link.kind == "bridge" || link.kind == "veth" ? Role::Container : Role::Uplink;
}

void Planner::add_links() {
  std::vector<TwinLink> ports;
  for (const Link& link : host_.links) {
    if (link.loopback || contains(plan_.policy.tunnels, link.name)) continue;
    const auto master = std::ranges::find(host_.links, link.master, &Link::index);
    const bool is_port =
        link.master != 0 && master != host_.links.end() && master->kind == "bridge";
    if (link.master != 0 && !is_port) continue;  // Of a bond: the bond itself is there.
    const Role role = role_of(link);
    if (!link.up && role != Role::Lan) continue;
    if (plan_.links.size() + ports.size() >= kMaxTwinLinks) {
      plan_.left_out.push_back(link.name);
      continue;
    }
    TwinLink twin{.name = link.name,
                  .index = link.index,
                  .mtu = link.mtu,
                  .role = role,
                  .is_bridge = link.kind == "bridge",
                  .master = is_port ? master->name : ""};
    for (const hostnet::AssignedAddress& own : host_.addresses) {
      if (own.interface == link.name && !own.address.address.is_link_local()) {
        twin.addresses.push_back(own.address);
      }
    }
    (is_port ? ports : plan_.links).push_back(std::move(twin));
  }
  // A bridge without a port would lead nowhere.
  for (const TwinLink& bridge : plan_.links) {
    if (bridge.is_bridge && !has_port(ports, bridge.name)) {
      ports.push_back(
          {.name = fmt::format("gtp{}", ports.size()), .role = bridge.role, .master = bridge.name});
    }
  }
  plan_.links.insert(plan_.links.end(), ports.begin(), ports.end());
}

// What the kernel does not make by itself. A next hop outside every subnet is put on the link.
void Planner::add_routes() {
  std::vector<Route> hops;
  std::vector<Route> routes;
  for (const Route& route : host_.routes) {
    const auto found = std::ranges::find(plan_.links, route.interface, &TwinLink::name);
    const bool is_wanted =
        route.table == hostnet::kMainTable && !route.dead &&
        route.type == hostnet::RouteType::Unicast && route.origin != hostnet::RouteOrigin::Kernel &&
        found != plan_.links.end() && !route.destination.address().is_multicast();
    if (!is_wanted) continue;
    routes.push_back(route);
    if (!route.gateway || route.gateway->is_link_local()) continue;
    const bool is_on_link = std::ranges::any_of(found->addresses, [&](const InterfaceAddress& own) {
      return own.subnet().contains(*route.gateway);
    });
    if (!is_on_link) {
      hops.push_back({.destination = Prefix::host(*route.gateway), .interface = route.interface});
    }
  }
  plan_.routes = std::move(hops);
  plan_.routes.insert(plan_.routes.end(), routes.begin(), routes.end());
}

// Somebody in the subnet who is neither the host nor its router.
Address other_host(const InterfaceAddress& own, const Address& router) {
  for (std::uint64_t i = 1; i < 4; ++i) {
    const Address candidate = own.subnet().address().plus(i);
    const bool fits = own.subnet().contains(candidate) && candidate != own.subnet().last();
    if (fits && candidate != own.address && candidate != router) return candidate;
  }
  return router;
}

void Planner::add_uplink(const TwinLink& link) {
  TwinUplink uplink{.name = link.name};
  TwinLink& cable = cable_of(this->link(link.name));
  for (Family family : kFamilies) {
    const auto own = std::ranges::find_if(link.addresses, [&](const InterfaceAddress& each) {
      return each.address.family() == family;
    });
    if (own == link.addresses.end()) continue;
    UplinkEnds ends{.own = own->address, .router = other_host(*own, own->address)};
    if (ends.router == own->address) continue;  // A single host, and nobody to talk to.
    for (const Route& route : plan_.routes) {
      if (route.interface == link.name && route.gateway && route.gateway->family() == family) {
        ends.router = *route.gateway;
        cable.far_addresses.push_back(
            {*route.gateway, route.gateway->is_link_local() ? 64 : own->length});
      }
    }
    ends.neighbour = other_host(*own, ends.router);
    cable.far_addresses.push_back({ends.neighbour, own->length});
    if (!ends.router.is_link_local()) cable.far_addresses.push_back({ends.router, own->length});
    uplink.ends[family] = ends;
  }
  plan_.uplinks.push_back(std::move(uplink));
}

// Every uplink leads everywhere, the first in both families: the host's could do so at any moment.
void Planner::give_ways_out() {
  TwinUplink& uplink = plan_.uplinks.front();
  TwinLink& near = link(uplink.name);
  for (Family family : kFamilies) {
    if (!uplink.ends[family]) {
      const InterfaceAddress own =
          family == Family::V4 ? take_free(kUplinks4) : take_free(kUplinks6);
      const Address router = own.subnet().address().plus(1);
      near.addresses.push_back(own);
      uplink.ends[family] = {.own = own.address, .router = router, .neighbour = router.plus(2)};
      TwinLink& cable = cable_of(near);
      cable.far_addresses.push_back({router, own.length});
      cable.far_addresses.push_back({router.plus(2), own.length});
    }
  }
  std::uint32_t metric = kFirstMetric;
  for (const TwinUplink& each : plan_.uplinks) {
    for (Family family : kFamilies) {
      if (!each.ends[family]) continue;
      const bool leads_out = std::ranges::any_of(plan_.routes, [&](const Route& route) {
        return route.is_default() && route.destination.family() == family &&
               route.interface == each.name;
      });
      if (leads_out) continue;
      plan_.routes.push_back({.destination = Prefix::masking(Address::any(family), 0),
                              .gateway = each.ends[family]->router,
                              .interface = each.name,
                              .metric = metric++});
    }
  }
}

TwinMember Planner::make_member(const TwinLink& cable, const TwinLink& interface) {
  TwinMember member{.role = cable.role, .interface = interface.name, .port = cable.name};
  TwinLink& near = link(interface.name);
  TwinLink& plug = link(cable.name);
  for (Family family : kFamilies) {
    auto own = std::ranges::find_if(near.addresses, [&](const InterfaceAddress& each) {
      return each.address.family() == family && each.length + 2 <= each.address.bits();
    });
    if (own == near.addresses.end() && near.name == kContainerName) {
      near.addresses.push_back(family == Family::V4 ? take_free(kMembers4) : take_free(kMembers6));
      own = near.addresses.end() - 1;
    }
    if (own == near.addresses.end()) {
      // Nothing is routed there; what a member sends is forwarded all the same.
      member.ends[family] = {
          .own = (family == Family::V4 ? take_free(kMembers4) : take_free(kMembers6)).address,
          .host = Address::any(family)};
      continue;
    }
    const Address address = other_host(*own, own->address);
    member.ends[family] = {.own = address, .host = own->address};
    plug.far_addresses.push_back({address, own->length});
    const TwinUplink& uplink = plan_.first_uplink();
    plan_.far_routes.push_back({.destination = own->subnet(),
                                .gateway = uplink.ends[family]->own,
                                .interface = uplink.name});
  }
  return member;
}

void Planner::add_members() {
  std::vector<std::pair<std::string, std::string>> cables;  // And the interface each belongs to.
  for (const TwinLink& link : plan_.links) {
    if (link.role == Role::Uplink || link.is_bridge) continue;
    cables.emplace_back(link.name, link.master.empty() ? link.name : link.master);
  }
  for (const auto& [cable, interface] : cables) {
    plan_.members.push_back(make_member(link(cable), link(interface)));
  }
}

void Planner::name_far_ends() {
  for (std::size_t i = 0; i < plan_.links.size(); ++i) {
    TwinLink& each = plan_.links[i];
    if (!each.is_bridge) each.far = fmt::format("far{}", i);
    std::ranges::sort(each.far_addresses);
    each.far_addresses.erase(std::ranges::unique(each.far_addresses).begin(),
                             each.far_addresses.end());
  }
  for (Route& route : plan_.far_routes) route.interface = cable_of(link(route.interface)).far;
}

void Planner::add_far_host(const Address& address) {
  // One that is on an uplink's network has to answer there.
  for (TwinLink& each : plan_.links) {
    if (each.role != Role::Uplink || !each.master.empty()) continue;
    for (const InterfaceAddress& own : each.addresses) {
      if (!own.subnet().contains(address) || own.length == own.address.bits()) continue;
      TwinLink& cable = cable_of(each);
      const InterfaceAddress there{address, own.length};
      if (!contains(cable.far_addresses, there)) cable.far_addresses.push_back(there);
      return;
    }
  }
  if (!contains(plan_.far_hosts, address)) plan_.far_hosts.push_back(address);
}

void Planner::add_internet() {
  const auto choose = [&](const auto& candidates) {
    for (std::string_view text : candidates) {
      const Address address = Address::parse(text).value();
      if (is_free(Prefix::host(address))) return address;
    }
    return Address::parse(candidates[0]).value();
  };
  plan_.internet[Family::V4] = choose(kInternet4);
  plan_.internet[Family::V6] = choose(kInternet6);
  plan_.local_net = take_free(kLocalNets);
  plan_.local_net_host = plan_.local_net.subnet().address().plus(9);
  cable_of(link(plan_.first_uplink().name))
      .far_addresses.push_back({plan_.local_net_host, plan_.local_net.length});
  for (Family family : kFamilies) add_far_host(*plan_.internet[family]);
  for (const net::Endpoint& endpoint : plan_.policy.endpoints) add_far_host(endpoint.address);
  for (const Address& server : plan_.policy.dns) add_far_host(server);
}

}  // namespace

TwinPlan plan_twin(const HostState& host, const LockPolicy& policy) {
  return Planner(host, policy).plan();
}

}  // namespace ginnel::leaks

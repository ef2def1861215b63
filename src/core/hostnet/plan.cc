#include "core/hostnet/plan.h"

#include <fmt/format.h>

#include <algorithm>

namespace ginnel::hostnet {
namespace {

// The kernel's metric for an IPv6 route that was given none.
constexpr std::uint32_t kDefaultMetricIpv6 = 1024;

std::uint32_t effective_metric(const Route& route) {
  const bool v6 = route.destination.family() == net::Family::V6;
  return v6 && route.metric == 0 ? kDefaultMetricIpv6 : route.metric;
}

// Whether `present` is what adding `wanted` would make; what was not asked for may be anything. The
// kernel says of an IPv6 route that leads nowhere that it leads to lo.
bool satisfies(const Route& present, const Route& wanted) {
  const bool leads_nowhere = wanted.type == RouteType::Unreachable ||
                             wanted.type == RouteType::Blackhole ||
                             wanted.type == RouteType::Prohibit;
  return present.destination == wanted.destination && present.table == wanted.table &&
         present.type == wanted.type && (leads_nowhere || present.interface == wanted.interface) &&
         present.gateway == wanted.gateway &&
         effective_metric(present) == effective_metric(wanted) &&
         (!wanted.source || present.source == wanted.source) && present.mtu == wanted.mtu;
}

bool satisfies(const RoutingRule& present, const RoutingRule& wanted) {
  RoutingRule alike = present;
  alike.origin = wanted.origin;
  return alike == wanted;
}

bool is_ours_to_remove(const Route& route, const std::string& interface) {
  return route.interface == interface && route.origin != RouteOrigin::Kernel &&
         route.origin != RouteOrigin::RouterAdvertisement && route.table != kLocalTable;
}

bool may_remove(const WantedInterface& wanted, const net::InterfaceAddress& address) {
  if (!wanted.former) return true;
  const auto& former = wanted.former->addresses;
  return std::ranges::find(former, address) != former.end();
}

bool may_remove(const WantedInterface& wanted, const Route& route) {
  if (!wanted.former) return is_ours_to_remove(route, wanted.name);
  return std::ranges::any_of(wanted.former->routes,
                             [&](const Route& former) { return satisfies(route, former); });
}

void plan_addresses(const HostState& current, const WantedInterface& wanted,
                    std::vector<Operation>& operations) {
  std::vector<net::InterfaceAddress> present;
  for (const AssignedAddress& assigned : current.addresses) {
    if (assigned.interface == wanted.name) present.push_back(assigned.address);
  }
  // New ones first: an interface without any IPv4 address loses its IPv4 routes.
  for (const net::InterfaceAddress& address : wanted.addresses) {
    if (std::ranges::find(present, address) == present.end()) {
      operations.emplace_back(AddAddress{.interface = wanted.name, .address = address});
    }
  }
  for (const net::InterfaceAddress& address : present) {
    const bool automatic = !address.address.is_v4() && address.address.is_link_local();
    const bool stays = std::ranges::find(wanted.addresses, address) != wanted.addresses.end();
    if (automatic || stays || !may_remove(wanted, address)) continue;
    operations.emplace_back(RemoveAddress{.interface = wanted.name, .address = address});
  }
}

void plan_routes(const HostState& current, const WantedInterface& wanted,
                 std::vector<Operation>& operations) {
  const auto is_present = [&](const Route& route) {
    return std::ranges::any_of(current.routes, [&](const Route& r) { return satisfies(r, route); });
  };
  const auto is_wanted = [&](const Route& route) {
    return std::ranges::any_of(wanted.routes, [&](const Route& w) { return satisfies(route, w); });
  };
  for (const Route& route : wanted.routes) {
    if (!is_present(route)) operations.emplace_back(AddRoute{route});
  }
  for (const Route& route : current.routes) {
    if (may_remove(wanted, route) && !is_wanted(route)) {
      operations.emplace_back(RemoveRoute{route});
    }
  }
}

// A route that stands where its successor is to go leaves first: the kernel takes no second one of
// the same metric. Any other leaves last, so that there is no moment without either.
void plan_free_routes(const HostState& current, const WantedNetwork& wanted,
                      std::vector<Operation>& operations) {
  const auto is_present = [&](const Route& route) {
    return std::ranges::any_of(current.routes, [&](const Route& r) { return satisfies(r, route); });
  };
  const auto is_wanted = [&](const Route& route) {
    return std::ranges::any_of(wanted.routes, [&](const Route& w) { return satisfies(route, w); });
  };
  std::vector<Route> added, removed;
  for (const Route& route : wanted.routes) {
    if (!is_present(route)) added.push_back(route);
  }
  for (const Route& route : wanted.former_routes) {
    if (is_wanted(route) || !is_present(route)) continue;
    const auto is_succeeded_by = [&](const Route& successor) {
      return share_place(successor, route);
    };
    if (std::ranges::any_of(added, is_succeeded_by)) {
      operations.emplace_back(RemoveRoute{route});
    } else {
      removed.push_back(route);
    }
  }
  for (const Route& route : added) operations.emplace_back(AddRoute{route});
  for (const Route& route : removed) operations.emplace_back(RemoveRoute{route});
}

void plan_rules(const HostState& current, const WantedNetwork& wanted,
                std::vector<Operation>& operations) {
  for (const RoutingRule& rule : wanted.rules) {
    const auto is_it = [&](const RoutingRule& r) { return satisfies(r, rule); };
    if (std::ranges::none_of(current.rules, is_it)) operations.emplace_back(AddRule{rule});
  }
  for (const RoutingRule& rule : current.rules) {
    const auto is_it = [&](const RoutingRule& r) { return satisfies(rule, r); };
    if (std::ranges::any_of(wanted.former_rules, is_it) &&
        std::ranges::none_of(wanted.rules, is_it)) {
      operations.emplace_back(RemoveRule{rule});
    }
  }
}

struct Describe {
  std::string operator()(const SetLinkUp& o) const {
    return fmt::format("set {} {}", o.interface, o.up ? "up" : "down");
  }
  std::string operator()(const SetMtu& o) const {
    return fmt::format("set the MTU of {} to {}", o.interface, o.mtu);
  }
  std::string operator()(const AddAddress& o) const {
    return fmt::format("add {} to {}", o.address.to_string(), o.interface);
  }
  std::string operator()(const RemoveAddress& o) const {
    return fmt::format("remove {} from {}", o.address.to_string(), o.interface);
  }
  std::string operator()(const AddRoute& o) const { return "add route " + o.route.to_string(); }
  std::string operator()(const RemoveRoute& o) const {
    return "remove route " + o.route.to_string();
  }
  std::string operator()(const AddRule& o) const { return "add rule " + o.rule.to_string(); }
  std::string operator()(const RemoveRule& o) const { return "remove rule " + o.rule.to_string(); }
};

struct Inverse {
  Operation operator()(const SetLinkUp& o) const {
    return SetLinkUp{.interface = o.interface, .up = !o.up};
  }
  Operation operator()(const SetMtu& o) const {
    return SetMtu{.interface = o.interface, .mtu = o.was, .was = o.mtu};
  }
  Operation operator()(const AddAddress& o) const {
    return RemoveAddress{.interface = o.interface, .address = o.address};
  }
  Operation operator()(const RemoveAddress& o) const {
    return AddAddress{.interface = o.interface, .address = o.address};
  }
  Operation operator()(const AddRoute& o) const { return RemoveRoute{o.route}; }
  Operation operator()(const RemoveRoute& o) const { return AddRoute{o.route}; }
  Operation operator()(const AddRule& o) const { return RemoveRule{o.rule}; }
  Operation operator()(const RemoveRule& o) const { return AddRule{o.rule}; }
};

}  // namespace

Operation inverse(const Operation& operation) { return std::visit(Inverse{}, operation); }
std::string describe(const Operation& operation) { return std::visit(Describe{}, operation); }

bool share_place(const Route& a, const Route& b) {
  return a.destination == b.destination && a.table == b.table &&
         effective_metric(a) == effective_metric(b);
}

Result<std::vector<Operation>> plan(const HostState& current, const WantedNetwork& wanted) {
  std::vector<Operation> operations;
  for (const WantedInterface& interface : wanted.interfaces) {
    const Link* link = current.find_link(interface.name);
    if (!link) {
      return fail(ErrorCode::NotFound, fmt::format("interface {} does not exist", interface.name));
    }
    // A link whose MTU is below 1280 takes no IPv6 addresses, and loses those it has.
    const SetMtu set_mtu{.interface = interface.name, .mtu = interface.mtu, .was = link->mtu};
    const bool changes_mtu = interface.mtu != 0 && link->mtu != interface.mtu;
    const bool raises_mtu = interface.mtu > link->mtu;
    if (changes_mtu && raises_mtu) operations.emplace_back(set_mtu);
    plan_addresses(current, interface, operations);
    if (changes_mtu && !raises_mtu) operations.emplace_back(set_mtu);
    if (link->up != interface.up) {
      operations.emplace_back(SetLinkUp{.interface = interface.name, .up = interface.up});
    }
    plan_routes(current, interface, operations);
  }
  plan_free_routes(current, wanted, operations);
  plan_rules(current, wanted, operations);
  return operations;
}

}  // namespace ginnel::hostnet

#include "core/server/host_fit.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

namespace ginnel::server {
namespace {

using hostnet::AssignedAddress;
using hostnet::HostState;
using hostnet::Route;

bool is_way_out(const Route& route, net::Family family, std::string_view own) {
  return route.is_default() && route.destination.family() == family &&
         route.type == hostnet::RouteType::Unicast && route.table == hostnet::kMainTable &&
         !route.dead && !route.interface.empty() && route.interface != own;
}

// The kernel's order: the lowest metric, among equals the better router.
const Route* find_default_route(const HostState& host, net::Family family, std::string_view own) {
  const auto rank = [](const Route& route) { return std::tuple(route.metric, route.preference); };
  const Route* best = nullptr;
  for (const Route& route : host.routes) {
    if (!is_way_out(route, family, own)) continue;
    if (best == nullptr || rank(route) < rank(*best)) best = &route;
  }
  return best;
}

bool can_be_told(const AssignedAddress& assigned, std::string_view own) {
  const net::Address& address = assigned.address.address;
  return assigned.usable && assigned.interface != own && !assigned.temporary &&
         !address.is_loopback() && !address.is_link_local();
}

// The address that answers leave from, else the first; a public one before a private one.
const net::Address* find_address_on(const HostState& host, net::Family family,
                                    std::string_view interface, std::string_view own) {
  const Route* route = find_default_route(host, family, own);
  if (route != nullptr && route->interface == interface && route->source) return &*route->source;
  const net::Address* best = nullptr;
  for (const AssignedAddress& assigned : host.addresses) {
    const net::Address& address = assigned.address.address;
    if (assigned.interface != interface || address.family() != family) continue;
    if (!can_be_told(assigned, own)) continue;
    if (best == nullptr || (best->is_private() && !address.is_private())) best = &address;
  }
  return best;
}

const net::Address* find_own_address(const config::ServerConfig& config, const HostState& host,
                                     const Uplinks& uplinks, std::string_view own) {
  if (config.listen.address) return &*config.listen.address;
  for (const net::Family family : {net::Family::V4, net::Family::V6}) {
    if (uplinks.of(family).empty()) continue;
    const net::Address* address = find_address_on(host, family, uplinks.of(family), own);
    if (address != nullptr) return address;
  }
  const auto any = std::ranges::find_if(
      host.addresses, [&](const AssignedAddress& a) { return can_be_told(a, own); });
  return any == host.addresses.end() ? nullptr : &any->address.address;
}

// Wide enough to be a trick for "everything", as 0.0.0.0/1 and 2000::/3 are.
bool is_almost_default(const net::Prefix& prefix) {
  return prefix.length() < (prefix.family() == net::Family::V4 ? config::kMinSubnetLength
                                                               : config::kMinSubnet6Length);
}

Status check_subnet_is_free(const net::Prefix& subnet, const HostState& host,
                            std::string_view own) {
  const std::string_view flag = subnet.family() == net::Family::V4 ? "--subnet" : "--subnet6";
  for (const AssignedAddress& assigned : host.addresses) {
    const net::Prefix theirs = assigned.address.subnet();
    if (assigned.interface == own || !theirs.overlaps(subnet)) continue;
    return fail(
        ErrorCode::Conflict,
        fmt::format("subnet {} collides with {} on this host's interface {}; choose "
                    "another with {}",
                    subnet.to_string(), assigned.address.to_string(), assigned.interface, flag));
  }
  for (const Route& route : host.routes) {
    if (route.type != hostnet::RouteType::Unicast || route.interface == own) continue;
    if (is_almost_default(route.destination) || !route.destination.overlaps(subnet)) continue;
    if (route.table == hostnet::kLocalTable) continue;
    return fail(ErrorCode::Conflict,
                fmt::format("subnet {} collides with this host's route {}; choose another with {}",
                            subnet.to_string(), route.to_string(), flag));
  }
  return ok();
}

}  // namespace

Uplinks choose_uplinks(const config::ServerConfig& config, const hostnet::HostState& host,
                       std::string_view own) {
  if (config.outbound_interface) return {*config.outbound_interface, *config.outbound_interface};
  const Route* v4 = find_default_route(host, net::Family::V4, own);
  const Route* v6 = find_default_route(host, net::Family::V6, own);
  return {v4 != nullptr ? v4->interface : "", v6 != nullptr ? v6->interface : ""};
}

Result<EndpointChoice> choose_endpoint(const config::ServerConfig& config,
                                       const hostnet::HostState& host, const Uplinks& uplinks,
                                       std::string_view own) {
  EndpointChoice choice;
  if (config.endpoint) {
    choice.endpoint = *config.endpoint;
    if (!choice.endpoint.port) choice.endpoint.port = config.listen.port;
    return choice;
  }
  const net::Address* address = find_own_address(config, host, uplinks, own);
  if (address == nullptr) {
    return fail(ErrorCode::NotFound,
                "this host has no address that clients could be told; say where they find the "
                "server with --endpoint HOST");
  }
  choice.endpoint = config::HostPort::of(*address, config.listen.port);
  if (address->is_private()) {
    choice.warning = fmt::format(
        "clients are told to connect to {}, which is a private address: from the internet they "
        "cannot; forward UDP port {} to this host, and name its public address with --endpoint",
        address->to_string(), config.listen.port);
  }
  return choice;
}

Status check_subnets_are_free(const config::Subnets& subnets, const hostnet::HostState& host,
                              std::string_view own) {
  if (Status v4 = check_subnet_is_free(subnets.v4, host, own); !v4) return v4;
  return subnets.v6 ? check_subnet_is_free(*subnets.v6, host, own) : ok();
}

}  // namespace ginnel::server

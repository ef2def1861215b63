#include "core/server/host_fit.h"

#include <fmt/format.h>

#include "core/hostnet/uplink.h"

namespace ginnel::server {
namespace {

std::optional<hostnet::Uplink> look_for_uplink(const config::ServerConfig& config,
                                               const hostnet::HostState& host, net::Family family,
                                               std::string_view own) {
  return config.outbound_interface ? hostnet::named_uplink(host, family, *config.outbound_interface)
                                   : hostnet::find_uplink(host, family, own);
}

// Where clients find this host when nobody said.
std::optional<net::Address> find_own_address(const config::ServerConfig& config,
                                             const hostnet::HostState& host, std::string_view own) {
  if (config.listen.address) return config.listen.address;
  for (const net::Family family : {net::Family::V4, net::Family::V6}) {
    const auto uplink = look_for_uplink(config, host, family, own);
    if (uplink && uplink->source) return uplink->source;
  }
  return hostnet::any_address(host, own);
}

}  // namespace

Uplinks choose_uplinks(const config::ServerConfig& config, const hostnet::HostState& host,
                       std::string_view own) {
  if (config.outbound_interface) return {*config.outbound_interface, *config.outbound_interface};
  const auto v4 = hostnet::find_uplink(host, net::Family::V4, own);
  const auto v6 = hostnet::find_uplink(host, net::Family::V6, own);
  return {v4 ? v4->interface : "", v6 ? v6->interface : ""};
}

Result<EndpointChoice> choose_endpoint(const config::ServerConfig& config,
                                       const hostnet::HostState& host, std::string_view own) {
  EndpointChoice choice;
  if (config.endpoint) {
    choice.endpoint = *config.endpoint;
    if (!choice.endpoint.port) choice.endpoint.port = config.listen.port;
    return choice;
  }
  const std::optional<net::Address> address = find_own_address(config, host, own);
  if (!address) {
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
  if (Status v4 = hostnet::check_no_collision(host, subnets.v4, own); !v4) return v4;
  return subnets.v6 ? hostnet::check_no_collision(host, *subnets.v6, own) : ok();
}

}  // namespace ginnel::server

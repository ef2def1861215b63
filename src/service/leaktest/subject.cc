#include "service/leaktest/subject.h"

#include "core/config/quick_device.h"
#include "core/gateway/gateway_network.h"
#include "core/gateway/management.h"
#include "os/rtnetlink.h"
#include "service/gateway/endpoint_book.h"
#include "service/killswitch/lock_files.h"
#include "service/quick/source.h"

namespace ginnel::leaktest {
namespace {

using hostnet::LockState;

// Where a peer is whose name nobody has looked up (RFC 5737).
constexpr std::string_view kSomewhere = "192.0.2.51:51820";

Result<hostnet::HostState> read_host() {
  auto rtnetlink = os::Rtnetlink::open();
  if (!rtnetlink) return pass(std::move(rtnetlink));
  return rtnetlink->read();
}

Result<gateway::GatewayConfig> read_config(const gateway::GatewayOptions& options) {
  std::vector<gateway::GatewayFile> files;
  for (const std::string& name : options.files) {
    auto source = quick::read_source(name);
    if (!source) return pass(std::move(source));
    files.push_back({source->path, source->interface, std::move(source->file)});
  }
  return make_gateway_config(std::move(files), options.flags);
}

Result<std::vector<net::Address>> ask_nobody(const std::string& name) {
  return fail(ErrorCode::NotFound, name + " was never looked up");
}

}  // namespace

Result<LeakTest> standing_lock(const std::string& state_directory) {
  auto policy = killswitch::LockFiles(state_directory, "").read();
  if (!policy) return pass(std::move(policy));
  if (policy->state == LockState::Off) {
    return fail(ErrorCode::NotFound,
                "nothing is locked on this host; name a file and flags, to test the lock that they "
                "stand for");
  }
  auto host = read_host();
  if (!host) return pass(std::move(host));
  return LeakTest{.host = std::move(*host), .policy = std::move(*policy)};
}

Result<LeakTest> planned_lock(const killswitch::Request& request,
                              quick::Interruption& interruption) {
  auto host = read_host();
  if (!host) return pass(std::move(host));
  auto policy = policy_of(request, *host, interruption);
  if (!policy) return pass(std::move(policy));
  return LeakTest{.host = std::move(*host), .policy = std::move(*policy)};
}

Result<LeakTest> planned_gateway(const gateway::GatewayOptions& options) {
  const auto config = read_config(options);
  if (!config) return std::unexpected(config.error());
  auto host = read_host();
  if (!host) return pass(std::move(host));
  if (Status fits = check_fit(*config, *host); !fits) return pass(std::move(fits));
  auto book = gateway::EndpointBook::open(options.state_directory);
  gateway::GatewayFacts facts{.state = LockState::Connected, .manage = config->manage};
  const auto peer = gateway::ssh_peer(options.ssh_connection);
  if (facts.manage.empty() && peer && gateway::is_on_link(*host, *peer, config->tunnel_names())) {
    facts.manage.push_back(net::Prefix::host(*peer));
  }
  for (const gateway::GatewayTunnel& tunnel : config->tunnels) {
    auto found = book.find(tunnel, gateway::EndpointBook::Order::PinsFirst, &ask_nobody);
    if (!found) found = std::vector{net::Endpoint::parse(kSomewhere).value()};
    facts.tunnels.push_back({.endpoints = std::move(*found)});
  }
  auto policy = gateway_policy(*config, *host, facts);
  return LeakTest{.host = std::move(*host), .policy = std::move(policy)};
}

}  // namespace ginnel::leaktest

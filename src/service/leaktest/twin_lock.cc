#include "service/leaktest/twin_lock.h"

#include "core/gateway/gateway_network.h"
#include "core/hostnet/lock_tables.h"
#include "os/nft_socket.h"
#include "os/system_rng.h"

namespace ginnel::leaktest {
namespace {

using hostnet::LockPolicy;
using hostnet::LockState;
namespace nft = hostnet::nft;

const killswitch::Places kPlaces = {.state_directory = "/run/ginnel/state",
                                    .run_directory = "/run/ginnel"};
constexpr std::uint16_t kKeepaliveSeconds = 1;
constexpr std::uint32_t kHijackPriority = 1;

bool is_done(const Status& status) {
  return status || status.error().code == ErrorCode::AlreadyExists;
}

// A gateway's own table, which the lock's policy does not tell of, from what it does tell: not
// which tunnel has which of the addresses.
gateway::GatewayConfig gateway_of(const LockPolicy& policy) {
  gateway::GatewayConfig config;
  for (const std::string& interface : policy.tunnels) {
    gateway::GatewayTunnel& tunnel = config.tunnels.emplace_back();
    tunnel.interface = interface;
    for (const net::Address& address : policy.tunnel_addresses) {
      tunnel.file.addresses.push_back({address, address.bits()});
      (address.is_v4() ? tunnel.ipv4 : tunnel.ipv6) = true;
    }
  }
  return config;
}

}  // namespace

Result<std::unique_ptr<TwinLock>> TwinLock::open(Twin& twin, const LeakTest& test) {
  auto lock = std::make_unique<TwinLock>(Key{}, twin, test);
  const LockPolicy& policy = twin.plan().policy;
  if (!policy.tunnels.empty()) {
    if (Status started = lock->start_tunnels(); !started) return pass(std::move(started));
  } else {
    auto provider = Provider::start(twin, {});
    if (!provider) return pass(std::move(provider));
    lock->provider_ = std::move(*provider);
  }
  if (!policy.lans.empty() && !policy.tunnels.empty()) {
    if (Status started = lock->start_gateway(); !started) return pass(std::move(started));
  }
  auto opened = killswitch::KillSwitch::open(kPlaces);
  if (!opened) return pass(std::move(opened));
  lock->lock_ = std::move(*opened);
  return lock;
}

// All that stand by are there as well, and known to the provider; what they carry ends at its door.
Status TwinLock::start_tunnels() {
  const std::vector<std::string>& names = twin_.plan().policy.tunnels;
  os::SystemRng rng;
  std::vector<crypto::PrivateKey> secrets;
  std::vector<crypto::PublicKey> clients;
  for (std::size_t i = 0; i < names.size(); ++i) {
    secrets.push_back(crypto::PrivateKey::generate(rng));
    clients.push_back(secrets.back().public_key());
  }
  auto provider = Provider::start(twin_, clients);
  if (!provider) return pass(std::move(provider));
  provider_ = std::move(*provider);
  for (std::size_t i = 0; i < names.size(); ++i) {
    auto started = start_tunnel(i, std::move(secrets[i]));
    if (!started) return pass(std::move(started));
    if (Status assigned = assign_tunnel_addresses(names[i]); !assigned) return assigned;
    if (i == 0) {
      tunnel_ = std::move(*started);
    } else {
      standbys_.push_back(std::move(*started));
    }
  }
  return ok();
}

Result<std::unique_ptr<tunnel::Tunnel>> TwinLock::start_tunnel(std::size_t place,
                                                               crypto::PrivateKey secret) {
  const LockPolicy& policy = twin_.plan().policy;
  auto started = tunnel::Tunnel::start({.interface = policy.tunnels[place], .workers = 1});
  if (!started) return started;
  wg::DeviceChange change;
  change.private_key = std::move(secret);
  change.fwmark = policy.mark.value;
  if (place < policy.listen_ports.size()) change.listen_port = policy.listen_ports[place];
  if (!policy.endpoints.empty()) {
    wg::PeerChange peer;
    peer.public_key = provider_->key();
    peer.endpoint = policy.endpoints[place % policy.endpoints.size()];
    if (place == 0) peer.persistent_keepalive_seconds = kKeepaliveSeconds;
    for (net::Family family : leaks::kFamilies) {
      peer.allowed_ips.push_back({.prefix = net::Prefix::masking(net::Address::any(family), 0)});
    }
    change.peers.push_back(std::move(peer));
  }
  if (Status done = (*started)->configure(std::move(change)); !done) return pass(std::move(done));
  const auto status = (*started)->observe();
  if (!status) return std::unexpected(status.error());
  transport_ports_.push_back(status->listen_port);
  return started;
}

Status TwinLock::assign_tunnel_addresses(const std::string& interface) {
  os::Rtnetlink& netlink = twin_.rtnetlink();
  if (Status up = netlink.apply(hostnet::SetLinkUp{.interface = interface}); !up) return up;
  for (const net::Address& address : twin_.plan().policy.tunnel_addresses) {
    if (!address.is_v4() && !twin_.has_ipv6()) continue;
    Status added = netlink.apply(
        hostnet::AddAddress{.interface = interface, .address = {address, address.bits()}});
    if (!is_done(added)) return added;
  }
  return ok();
}

Status TwinLock::start_gateway(std::size_t active) {
  const LockPolicy& policy = twin_.plan().policy;
  const gateway::GatewayConfig config = gateway_of(policy);
  if (!gateway_) {
    auto applier = os::HostApplier::open(kPlaces.run_directory, gateway::gateway_owner(config),
                                         os::SysctlClaims::Former::PutBack);
    if (!applier) return pass(std::move(applier));
    gateway_ = std::move(*applier);
  }
  gateway::GatewayFacts facts{.state = LockState::Connected, .active = active};
  facts.tunnels.resize(config.tunnels.size());
  return gateway_->apply({.tables = gateway_wishes(config, policy, facts).tables});
}

Result<bool> TwinLock::has_session() {
  if (!tunnel_) return false;
  const auto status = tunnel_->observe();
  if (!status) return std::unexpected(status.error());
  return !status->peers.empty() && status->peers.front().last_handshake.has_value();
}

Result<bool> TwinLock::is_owned() {
  const auto report = lock_->inspect();
  if (!report) return std::unexpected(report.error());
  return report->owned;
}

Status TwinLock::change_state(LockState state) {
  LockPolicy policy = twin_.plan().policy;
  policy.state = state;
  state_ = state;
  return change(policy);
}

Status TwinLock::change(const LockPolicy& policy) {
  if (Status changed = lock_->change(policy); !changed) return changed;
  return weaken();
}

Status TwinLock::mend() {
  if (Status mended = lock_->mend(); !mended) return mended;
  if (gateway_) {
    if (Status started = start_gateway(); !started) return started;
  }
  return weaken();
}

// By the descriptor that owns them, as nobody else could.
Status TwinLock::weaken() {
  if (!test_.weaken) return ok();
  const auto report = lock_->inspect();
  if (!report) return std::unexpected(report.error());
  std::vector<nft::Table> tables = lock_tables(report->policy);
  os::NftBatch batch;
  for (const nft::Table& table : tables) batch.delete_table(table.family, table.name);
  test_.weaken(tables);
  for (nft::Table& table : tables) {
    table.owned = report->owned;
    if (Status added = batch.add_table(table); !added) return added;
  }
  auto descriptor = lock_->descriptor();
  if (!descriptor) return pass(std::move(descriptor));
  auto socket = os::NftSocket::adopt(std::move(*descriptor));
  if (!socket) return pass(std::move(socket));
  return socket->commit(std::move(batch));
}

Status TwinLock::return_uplink() {
  const std::string& name = twin_.plan().first_uplink().name;
  os::Rtnetlink& netlink = twin_.rtnetlink();
  for (const bool up : {false, true}) {
    const hostnet::SetLinkUp set{.interface = name, .up = up};
    if (Status done = netlink.apply(set); !done) return done;
  }
  return twin_.restore(name);
}

std::vector<hostnet::Operation> TwinLock::injected_routes() const {
  const leaks::TwinPlan& plan = twin_.plan();
  std::vector<hostnet::Operation> operations;
  for (net::Family family : leaks::kFamilies) {
    if (family == net::Family::V6 && !twin_.has_ipv6()) continue;
    const hostnet::Route half{.destination = net::Prefix::masking(net::Address::any(family), 1),
                              .gateway = plan.first_uplink().ends[family]->router,
                              .interface = plan.first_uplink().name};
    hostnet::Route host = half;
    host.destination = net::Prefix::host(*plan.internet[family]);
    operations.emplace_back(hostnet::AddRoute{half});
    operations.emplace_back(hostnet::AddRoute{host});
    operations.emplace_back(hostnet::AddRule{
        {.family = family, .priority = kHijackPriority, .table = hostnet::kMainTable}});
  }
  return operations;
}

Status TwinLock::flush_as_stranger() {
  auto stranger = os::NftSocket::open();
  if (!stranger) return pass(std::move(stranger));
  os::NftBatch batch;
  batch.delete_all_tables();
  return stranger->commit(std::move(batch));
}

// As a guardian does, somebody else keeps a copy of what owns the tables.
Status TwinLock::kill_owner() {
  const auto kept = lock_->descriptor();
  if (!kept) return std::unexpected(kept.error());
  lock_.reset();
  if (Status flushed = flush_as_stranger(); !flushed) return flushed;
  auto opened = killswitch::KillSwitch::open(kPlaces, *kept);
  if (!opened) return pass(std::move(opened));
  lock_ = std::move(*opened);
  return ok();
}

// As a gateway that learns of a new one: both for a moment, and then the new one alone.
Status TwinLock::change_endpoint() {
  LockPolicy policy = twin_.plan().policy;
  policy.state = state_;
  const std::size_t former = policy.endpoints.size();
  for (std::size_t i = 0; i < former; ++i) {
    net::Endpoint other = policy.endpoints[i];
    other.port ^= 4;
    policy.endpoints.push_back(other);
  }
  if (Status changed = change(policy); !changed) return changed;
  policy.endpoints.erase(policy.endpoints.begin(),
                         policy.endpoints.begin() + static_cast<std::ptrdiff_t>(former));
  return change(policy);
}

// As a gateway whose tunnel does not answer: the next one has the default route.
Status TwinLock::fail_over() {
  LockPolicy policy = twin_.plan().policy;
  policy.state = state_;
  std::ranges::rotate(policy.tunnels, policy.tunnels.begin() + 1);
  if (gateway_) {
    if (Status moved = start_gateway(1); !moved) return moved;
  }
  return change(policy);
}

Status TwinLock::delete_routes() {
  const auto host = twin_.rtnetlink().read();
  if (!host) return std::unexpected(host.error());
  for (const hostnet::Route& route : host->routes) {
    if (route.table != twin_.plan().policy.table) continue;
    Status removed = twin_.rtnetlink().apply(hostnet::RemoveRoute{route});
    if (!removed) return removed;
  }
  return ok();
}

Status TwinLock::delete_rules() {
  const auto host = twin_.rtnetlink().read();
  if (!host) return std::unexpected(host.error());
  for (const hostnet::RoutingRule& rule : host->rules) {
    if (rule.origin != hostnet::RouteOrigin::Ginnel) continue;
    Status removed = twin_.rtnetlink().apply(hostnet::RemoveRule{rule});
    if (!removed) return removed;
  }
  return ok();
}

Status TwinLock::delete_tunnel() {
  const Status deleted = twin_.rtnetlink().delete_link(twin_.plan().policy.tunnels.front());
  tunnel_.reset();
  return deleted;
}

Status TwinLock::begin(leaks::Event event) {
  const leaks::TwinPlan& plan = twin_.plan();
  os::Rtnetlink& netlink = twin_.rtnetlink();
  switch (event) {
    case leaks::Event::None:
    case leaks::Event::Swapped:
      return ok();
    case leaks::Event::UplinkReturns:
      return return_uplink();
    case leaks::Event::RouteInjected:
      for (const hostnet::Operation& operation : injected_routes()) {
        if (Status done = netlink.apply(operation); !is_done(done)) return done;
      }
      return ok();
    case leaks::Event::LocalNetInjected:
      return netlink.apply(
          hostnet::AddAddress{.interface = plan.first_uplink().name, .address = plan.local_net});
    case leaks::Event::Flushed:
      return flush_as_stranger();
    case leaks::Event::OwnerKilled:
      return kill_owner();
    case leaks::Event::EndpointChanged:
      return change_endpoint();
    case leaks::Event::FailedOver:
      return fail_over();
    case leaks::Event::TableFlushed:
      return delete_routes();
    case leaks::Event::RulesDeleted:
      return delete_rules();
    case leaks::Event::TunnelDown:
      return netlink.apply(
          hostnet::SetLinkUp{.interface = plan.policy.tunnels.front(), .up = false});
    case leaks::Event::TunnelDeleted:
      return delete_tunnel();
  }
  std::unreachable();
}

Status TwinLock::end(leaks::Event event) {
  os::Rtnetlink& netlink = twin_.rtnetlink();
  switch (event) {
    case leaks::Event::None:
    case leaks::Event::TunnelDeleted:  // The last; nothing comes back after it.
      return ok();
    case leaks::Event::RouteInjected:
      for (const hostnet::Operation& operation : injected_routes()) {
        if (Status done = netlink.apply(hostnet::inverse(operation)); !done) return done;
      }
      return ok();
    case leaks::Event::LocalNetInjected: {
      const leaks::TwinPlan& plan = twin_.plan();
      return netlink.apply(
          hostnet::RemoveAddress{.interface = plan.first_uplink().name, .address = plan.local_net});
    }
    case leaks::Event::FailedOver:
      if (gateway_) {
        if (Status back = start_gateway(); !back) return back;
      }
      return change_state(state_);
    case leaks::Event::Swapped:
    case leaks::Event::EndpointChanged:
      return change_state(state_);
    case leaks::Event::TunnelDown:
      if (Status up = assign_tunnel_addresses(twin_.plan().policy.tunnels.front()); !up) return up;
      return mend();
    case leaks::Event::UplinkReturns:
    case leaks::Event::Flushed:
    case leaks::Event::OwnerKilled:
    case leaks::Event::TableFlushed:
    case leaks::Event::RulesDeleted:
      return mend();
  }
  std::unreachable();
}

}  // namespace ginnel::leaktest

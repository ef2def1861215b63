// A gateway's hold on its host: the kill switch, its own table and addresses, forwarding, and which
// DNS servers the host itself asks.
#pragma once

#include <map>
#include <optional>

#include "core/gateway/gateway_network.h"
#include "os/file.h"
#include "os/host_applier.h"
#include "service/gateway/views.h"
#include "service/killswitch/kill_switch.h"
#include "service/quick/resolver.h"

namespace ginnel::gateway {

class GatewayHost {
 public:
  // Takes back what a killed gateway left, but not the lock. Fails with AlreadyExists while another
  // gateway runs. `config` and `interruption` are borrowed for as long as this lives.
  static Result<GatewayHost> open(const std::string& run_directory, const GatewayConfig& config,
                                  quick::Interruption& interruption);

  Result<hostnet::HostState> read() { return applier_.read(); }
  os::Rtnetlink& rtnetlink() { return applier_.rtnetlink(); }

  // Whether the kill switch was on when this was opened.
  const os::SysctlClaims& claims() { return applier_.claims(); }
  const killswitch::Places& places() const { return places_; }
  bool was_locked() const { return former_.state != hostnet::LockState::Off; }
  // The uplink's own DNS servers, to be asked in clear: none that is a tunnel's.
  std::vector<net::Endpoint> name_servers();
  // Of the uplinks, by their leases as they are.
  std::vector<net::Address> dhcp_servers();
  // Other people's firewall rules that the LAN's or the tunnels' traffic does not get past.
  std::vector<Finding> find_obstacles(const GatewayFacts& facts);
  // The state of the lock goes back at `deadline`, unless somebody confirms it.
  Status expect_confirmation(MonoTime deadline);
  enum class Confirmation : std::uint8_t { Awaited, Given, TakenBack };
  // Takes the change back when its time has passed.
  Result<Confirmation> look_for_confirmation(MonoTime now);

  // For as long as facts name resolvers: nobody takes the exception away while it is held.
  Result<os::FileLock> begin_asking();
  // Before there are tunnels, and threads: the lock alone.
  Status lock(const GatewayFacts& facts);
  // All of it, for the host as it is.
  Status apply(const GatewayFacts& facts);
  // The host itself asks the tunnel's servers.
  Status tell_resolver(const GatewayTunnel& tunnel);

  // The end, one of the three, and then the rest is taken back; what cannot be is logged. The lock
  // stays and lets nothing out,
  void lock_down(const GatewayFacts& facts);
  // or it is what it was before,
  void give_lock_back();
  // or somebody else has changed it, and it is left alone.
  void leave_lock() { held_.reset(); }
  void take_back_rest();

 private:
  GatewayHost(os::HostApplier applier, os::FileLock alone, const GatewayConfig& config,
              quick::Interruption& interruption, std::string run_directory)
      : applier_(std::move(applier)),
        alone_(std::move(alone)),
        config_(&config),
        interruption_(&interruption),
        places_{.run_directory = std::move(run_directory)} {}

  // Not any more when it was taken back for want of a confirmation: whoever did that is to get in.
  Status change_lock(const hostnet::LockPolicy& policy);
  Status forget_connections(const hostnet::LockPolicy& policy);
  bool holds(const killswitch::KillSwitch& lock) const;
  Status remove_rules();
  std::vector<hostnet::Link> uplinks();

  os::HostApplier applier_;
  os::FileLock alone_;
  const GatewayConfig* config_;
  quick::Interruption* interruption_;
  killswitch::Places places_;
  hostnet::LockPolicy former_;
  std::optional<hostnet::LockPolicy> held_;
  std::optional<hostnet::LockPolicy> unlocked_;  // Without a kill switch: what would be held.
  // Those that each tunnel was given, by its name.
  std::map<std::string, std::vector<net::InterfaceAddress>> addresses_;
  std::vector<hostnet::RoutingRule> rules_;  // Without a kill switch: those that were added.
  quick::Resolver::Choice resolver_;         // Who was told of DNS servers.
  bool parked_ = false;
  bool awaits_confirmation_ = false;
};

}  // namespace ginnel::gateway

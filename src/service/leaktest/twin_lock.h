// A twin's lock and tunnel: the same code that locks a host, on a host that is nobody's. And what
// others do to both.
#pragma once

#include <memory>
#include <optional>

#include "os/host_applier.h"
#include "service/killswitch/kill_switch.h"
#include "service/leaktest/leak_test.h"
#include "service/leaktest/provider.h"
#include "service/leaktest/twin.h"

namespace ginnel::leaktest {

class TwinLock {
  struct Key {};  // Only open() makes one.

 public:
  // The tunnel is up, with its addresses; the lock is off. Both arguments are borrowed.
  static Result<std::unique_ptr<TwinLock>> open(Twin& twin, const LeakTest& test);

  TwinLock(Key, Twin& twin, const LeakTest& test) : twin_(twin), test_(test) {}

  // Whether the first tunnel's two ends know each other.
  Result<bool> has_session();
  const std::vector<std::uint16_t>& transport_ports() const { return transport_ports_; }
  bool has_tunnel() const { return tunnel_ != nullptr; }
  // Whether the kernel lets nobody else change the tables.
  Result<bool> is_owned();

  Status change_state(hostnet::LockState state);
  Status change(const hostnet::LockPolicy& policy);
  // Puts back what an event took.
  Status mend();

  // Fails when it cannot be done, which is no verdict on the lock.
  Status begin(leaks::Event event);
  Status end(leaks::Event event);

 private:
  Status start_tunnels();
  Result<std::unique_ptr<tunnel::Tunnel>> start_tunnel(std::size_t place,
                                                       crypto::PrivateKey secret);
  Status assign_tunnel_addresses(const std::string& interface);
  Status start_gateway(std::size_t active = 0);
  Status weaken();
  Status return_uplink();
  std::vector<hostnet::Operation> injected_routes() const;
  Status flush_as_stranger();
  Status kill_owner();
  Status change_endpoint();
  Status fail_over();
  Status delete_routes();
  Status delete_rules();
  Status delete_tunnel();

  Twin& twin_;
  const LeakTest& test_;
  std::unique_ptr<Provider> provider_;
  std::unique_ptr<tunnel::Tunnel> tunnel_;  // The policy's first.
  std::vector<std::unique_ptr<tunnel::Tunnel>> standbys_;
  std::vector<std::uint16_t> transport_ports_;
  std::optional<os::HostApplier> gateway_;
  std::optional<killswitch::KillSwitch> lock_;
  hostnet::LockState state_ = hostnet::LockState::Off;
};

}  // namespace ginnel::leaktest

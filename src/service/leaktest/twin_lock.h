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

  // Whether the tunnel's two ends know each other.
  Result<bool> has_session();
  std::uint16_t transport_port() const { return transport_port_; }
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
  Status start_tunnel();
  Status assign_tunnel_addresses();
  Status start_gateway();
  Status weaken();
  Status return_uplink();
  std::vector<hostnet::Operation> injected_routes() const;
  Status flush_as_stranger();
  Status kill_owner();
  Status change_endpoint();
  Status delete_routes();
  Status delete_rules();
  Status delete_tunnel();

  Twin& twin_;
  const LeakTest& test_;
  std::unique_ptr<Provider> provider_;
  std::unique_ptr<tunnel::Tunnel> tunnel_;
  std::uint16_t transport_port_ = 0;
  std::optional<os::HostApplier> gateway_;
  std::optional<killswitch::KillSwitch> lock_;
  hostnet::LockState state_ = hostnet::LockState::Off;
};

}  // namespace ginnel::leaktest

// The host's networking as the kernel has it: what a server wants of it, carried out by the one
// applier, and what else is on the host in its way.
#pragma once

#include <memory>

#include "core/hostnet/firewall.h"
#include "os/host_applier.h"
#include "os/router_solicitor.h"
#include "service/server/client_resolver.h"
#include "service/server/host_network.h"

namespace ginnel::server {

class KernelNetwork final : public HostNetwork {
  struct Key {};  // Only open() makes one.

 public:
  // Fails when another process serves on this interface, naming it; puts back what killed ones left
  // behind.
  static Result<std::unique_ptr<KernelNetwork>> open(const std::string& run_directory,
                                                     const std::string& interface);
  KernelNetwork(Key, os::HostApplier applier, std::optional<os::RouterSolicitor> solicitor)
      : applier_(std::move(applier)), solicitor_(std::move(solicitor)) {}
  ~KernelNetwork() override { undo(); }

  Result<hostnet::HostState> read() override;
  Status apply(const HostWishes& wishes) override;
  void undo() override;
  std::vector<Finding> find_obstacles(const HostWishes& wishes) override;
  LabelledCounts name_counts() const override { return resolver_.counts(); }

 private:
  Status try_apply(const HostWishes& wishes);
  Status allow_ipv6(const std::string& interface);
  // Clients that are led through an interface need it to take in what the host itself would send
  // elsewhere.
  std::optional<hostnet::Sysctl> loose_filter(const hostnet::ServerNetwork& network);
  void ask_routers(const std::vector<std::string>& interfaces, const hostnet::HostState& state);
  Status open_firewall(const HostWishes& wishes);
  Result<std::vector<hostnet::FirewallBlock>> find_blocks(const HostWishes& wishes);
  Status remove_dead_servers();

  os::HostApplier applier_;
  std::optional<os::RouterSolicitor> solicitor_;  // Absent: not permitted, or no IPv6.
  ClientResolver resolver_;
  std::optional<HostWishes> applied_;
};

}  // namespace ginnel::server

// The host's networking as the kernel has it: addresses of the tunnel, forwarding, and one nftables
// table.
#pragma once

#include <memory>

#include "core/hostnet/firewall.h"
#include "os/host_changes.h"
#include "os/nft_socket.h"
#include "os/router_solicitor.h"
#include "os/sysctl_claims.h"
#include "service/server/host_network.h"

namespace ginnel::server {

class KernelNetwork final : public HostNetwork {
  struct Key {};  // Only open() makes one.

 public:
  // Fails when another process serves on this interface, naming it; puts back what killed ones left
  // behind.
  static Result<std::unique_ptr<KernelNetwork>> open(const std::string& run_directory,
                                                     const std::string& interface);
  KernelNetwork(Key, hostnet::Owner owner, os::Rtnetlink rtnetlink, os::NftSocket nft,
                os::SysctlClaims claims, std::optional<os::RouterSolicitor> solicitor)
      : owner_(std::move(owner)),
        rtnetlink_(std::move(rtnetlink)),
        nft_(std::move(nft)),
        claims_(std::move(claims)),
        solicitor_(std::move(solicitor)) {}
  ~KernelNetwork() override { undo(); }

  Result<hostnet::HostState> read() override;
  Status apply(const HostWishes& wishes) override;
  void undo() override;
  std::vector<Finding> find_obstacles(const HostWishes& wishes) override;

 private:
  Status try_apply(const HostWishes& wishes);
  Status allow_ipv6(const std::string& interface);
  // Sends clients to the outbound interface that a person chose.
  Status apply_outbound(const HostWishes& wishes, const hostnet::HostState& state);
  Status remove_dead_outbound();
  Status apply_table(const HostWishes& wishes);
  Status forward(const HostWishes& wishes, const hostnet::HostState& state);
  Status open_firewall(const HostWishes& wishes);
  Result<std::vector<hostnet::FirewallBlock>> find_blocks(const HostWishes& wishes);
  // Removes what carries our mark, or that of a server that is dead, in everybody's tables.
  Status remove_marked();

  hostnet::Owner owner_;
  os::Rtnetlink rtnetlink_;
  os::NftSocket nft_;
  os::SysctlClaims claims_;
  std::optional<os::RouterSolicitor> solicitor_;  // Absent: not permitted, or no IPv6.
  os::HostChanges changes_;
  std::optional<hostnet::nft::Table> table_;  // As it is loaded.
  std::optional<HostWishes> applied_;
};

}  // namespace ginnel::server

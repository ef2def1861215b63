// Makes what one owner wants of the host true, by the difference to the host as it is, and takes it
// back. The one way from core/hostnet's wishes to the kernel.
#pragma once

#include <optional>
#include <vector>

#include "core/hostnet/nft_ruleset.h"
#include "core/hostnet/wanted_host.h"
#include "os/host_changes.h"
#include "os/nft_socket.h"
#include "os/rtnetlink.h"
#include "os/sysctl_claims.h"

namespace ginnel::os {

class HostApplier {
 public:
  // Fails with AlreadyExists, naming it, when a process works as this owner.
  static Result<HostApplier> open(const std::string& run_directory, const hostnet::Owner& owner,
                                  SysctlClaims::Former former);

  Result<hostnet::HostState> read() { return rtnetlink_.read(); }

  // Filter and settings first, then addresses, routes and rules. When a step fails, those of this
  // call are undone. Tables of the owner that are not wanted are removed.
  Status apply(const hostnet::WantedHost& wanted);

  // The same for what must stand whatever else fails: carries out all that can be, undoes nothing,
  // and returns the first failure.
  Status hold(const hostnet::WantedHost& wanted);

  // The tables that stand already, made by a former process of this owner: what a failure of
  // apply() goes back to.
  void assume(std::vector<hostnet::nft::Table> tables) { tables_ = std::move(tables); }

  // From now on tables are changed over this socket, and those that want it are owned by it.
  void own_tables_by(NftSocket owner) { owner_ = std::move(owner); }
  // Whether there can be owned tables: own_tables_by() was called, and the kernel has them. What is
  // listed may tell; else the kernel is asked, which those who watch nftables notice.
  Result<bool> can_own_tables(const hostnet::nft::Ruleset& listed);
  // A copy of what owns them. Fails when own_tables_by() was not called.
  Result<Fd> owner_descriptor() const;

  // Takes back what the last apply() did to addresses, routes and rules, in this process.
  Status undo_changes();
  // Removes the owner's tables and rules in others' tables, and gives its settings back.
  Status remove_all();

  Rtnetlink& rtnetlink() { return rtnetlink_; }
  NftSocket& nft() { return nft_; }
  SysctlClaims& claims() { return claims_; }
  const SysctlClaims& claims() const { return claims_; }

 private:
  HostApplier(Rtnetlink rtnetlink, NftSocket nft, SysctlClaims claims)
      : rtnetlink_(std::move(rtnetlink)), nft_(std::move(nft)), claims_(std::move(claims)) {}

  Status load_tables(const std::vector<hostnet::nft::Table>& wanted);
  NftSocket& writer() { return owner_ ? *owner_ : nft_; }
  Status append_changes(const hostnet::nft::Ruleset& listed,
                        const std::vector<hostnet::nft::Table>& wanted, NftBatch& batch);
  Status claim_settings(const std::vector<hostnet::Sysctl>& wanted);

  Rtnetlink rtnetlink_;
  NftSocket nft_;
  std::optional<NftSocket> owner_;
  std::optional<bool> can_own_;  // Absent: nobody has asked yet.
  SysctlClaims claims_;
  HostChanges changes_;
  std::vector<hostnet::nft::Table> tables_;  // As they stand.
};

}  // namespace ginnel::os

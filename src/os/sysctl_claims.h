// One process's stake in the kernel settings of its network namespace: the ledger of
// core/hostnet/sysctl_ledger.h in a file, and a lock that says who is alive. What a killed process
// left behind is put back by the next one that opens it.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "core/hostnet/sysctl_ledger.h"
#include "os/file.h"
#include "os/sysctl_tree.h"

namespace ginnel::os {

inline constexpr const char* kRunDirectory = "/run/ginnel";

class SysctlClaims {
 public:
  // What happens to the claims that this owner left when it last ended.
  enum class Former : std::uint8_t { PutBack, Keep };

  // Fails with AlreadyExists when a process runs as this owner already, naming it. Puts back what
  // dead owners left.
  static Result<SysctlClaims> open(const std::string& run_directory, const hostnet::Owner& owner,
                                   SysctlTree tree, Former former = Former::PutBack);

  // Sets the values in this order. Each original is on disk before its setting changes. When one
  // fails, those before it in this call stay claimed until release().
  Status claim(const std::vector<hostnet::Sysctl>& wanted);

  // Gives up all claims of this owner and puts back what nobody else wants, last first. The first
  // failure is returned after all were tried.
  Status release();

  // What is on record about a setting, of every owner. Absent: nobody claims it.
  Result<std::optional<hostnet::LedgerEntry>> find(std::string_view path) const;

  // Whether a process runs as this owner, or it needs none: it left standing_path() behind.
  bool is_alive(const hostnet::Owner& owner) const;

  // directory() of whoever opens claims in this run directory, here.
  static std::string directory_in(const std::string& run_directory);

  // A file that its owner makes when what it claims shall outlive its process.
  std::string standing_path(const hostnet::Owner& owner) const;
  // The lock that says that this process is alive: for a child that works for it.
  int lock_fd() const { return alive_->fd(); }
  // Of this network namespace, for what belongs beside the ledger.
  const std::string& directory() const { return directory_; }
  const std::string& boot() const { return boot_; }

  const SysctlTree& tree() const { return tree_; }
  const hostnet::Owner& owner() const { return owner_; }

 private:
  SysctlClaims(std::string directory, hostnet::Owner owner, SysctlTree tree);

  Result<Fd> lock_ledger() const;
  Result<hostnet::SysctlLedger> load() const;
  Status save(const hostnet::SysctlLedger& ledger) const;
  std::string lock_path(const hostnet::Owner& owner) const;
  void forget_gone(hostnet::SysctlLedger& ledger) const;
  Status clean_up_dead(hostnet::SysctlLedger& ledger, Former former) const;
  std::vector<hostnet::Sysctl> side_effects_of(const hostnet::Sysctl& wanted,
                                               const std::string& current) const;
  Status put_back(const std::vector<hostnet::LedgerEntry>& entries) const;

  std::string directory_;  // Of this network namespace.
  hostnet::Owner owner_;
  SysctlTree tree_;
  std::string boot_;
  std::optional<FileLock> alive_;
};

// What lets the host forward IPv4, IPv6 or both, and has it listen to router advertisements as it
// did before: its routes stay, and an uplink that comes later gets its own. Claim it again when the
// host's networking has changed; `state` is that of this moment.
struct ForwardingWanted {
  bool ipv4 = false;
  bool ipv6 = false;
  std::string tunnel{};  // The interface that is forwarded for; no router is on it.
};
struct ForwardingSettings {
  std::vector<hostnet::Sysctl> settings{};  // To be claimed in this order.
  // Interfaces that may have missed an advertisement, because they came while the host forwarded
  // already: ask for one there.
  std::vector<std::string> late{};
};
Result<ForwardingSettings> forwarding_settings(const SysctlClaims& claims,
                                               const ForwardingWanted& wanted,
                                               const hostnet::HostState& state);

}  // namespace ginnel::os

// What a kill switch keeps on disk: the policy that is meant, for the next boot and the next
// process, and the former one while a change waits to be confirmed.
#pragma once

#include <optional>
#include <string>

#include "base/time.h"
#include "core/hostnet/lock_record.h"

namespace ginnel::killswitch {

inline constexpr const char* kStateDirectory = "/var/lib/ginnel/killswitch";

class LockFiles {
 public:
  // `run_directory` is that of this network namespace: what is in it does not outlive the boot.
  LockFiles(std::string state_directory, std::string run_directory)
      : state_directory_(std::move(state_directory)), run_directory_(std::move(run_directory)) {}

  // Off when nothing was written. A record that cannot be read is an error, not Off.
  Result<hostnet::LockPolicy> read() const;
  // With the ruleset that it stands for, for people. Off removes it.
  Status write(const hostnet::LockPolicy& policy) const;

  // A change that goes back to `former` at `deadline`.
  struct Pending {
    MonoTime deadline{};
    hostnet::LockPolicy former{};
  };
  Result<std::optional<Pending>> read_pending() const;
  Status write_pending(const Pending& pending) const;
  Status remove_pending() const;

  // The netlink port of the socket that the watcher holds; nothing until it does. It is true for as
  // long as the watcher lives, to who has the turn.
  std::optional<std::uint32_t> read_watched() const;
  Status write_watched(std::uint32_t port) const;
  Status remove_watched() const;

  // That connections are to be forgotten once the tables of a policy stand. What is owed when a
  // process is killed, the next change pays.
  Status owe_forgetting() const;
  bool owes_forgetting() const;
  Status have_forgotten() const;

  std::string policy_path() const { return state_directory_ + "/policy"; }
  std::string ruleset_path() const { return state_directory_ + "/ruleset.nft"; }
  std::string pending_path() const { return run_directory_ + "/killswitch.pending"; }
  std::string forgetting_path() const { return run_directory_ + "/killswitch.forgetting"; }
  std::string guardian_path() const { return run_directory_ + "/killswitch.sock"; }
  // Locked by who asks policy.resolvers.
  std::string asking_path() const { return run_directory_ + "/killswitch.asking"; }
  std::string watcher_path() const { return run_directory_ + "/killswitch.watcher"; }
  std::string watched_path() const { return run_directory_ + "/killswitch.watched"; }

 private:
  std::string state_directory_;
  std::string run_directory_;
};

}  // namespace ginnel::killswitch

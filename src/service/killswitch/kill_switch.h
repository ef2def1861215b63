// The kill switch of this host: what is meant, made true, looked at and mended. Everything that
// changes it (`ginnel killswitch`, `ginnel gateway`, its watcher) holds one of these for as long as
// that takes; one process at a time does, the others wait for their turn.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/hostnet/nft_ruleset.h"
#include "os/fd.h"
#include "os/file.h"
#include "os/host_applier.h"
#include "service/killswitch/lock_files.h"

namespace ginnel::killswitch {

struct Places {
  std::string state_directory = kStateDirectory;
  std::string run_directory = os::kRunDirectory;
};

// What a program beside the tunnel has sent and got since the ruleset was loaded.
struct SplitTraffic {
  std::string name{};
  bool present = true;  // Or its cgroup does not exist.
  // Or it is a cgroup's and no tunnel is up: its sockets find no way, by which they would be known.
  bool has_way = true;
  hostnet::nft::Counted sent{};
  hostnet::nft::Counted received{};
};

struct LockReport {
  hostnet::LockPolicy policy{};  // With the devices as they are.
  // What is not as it is meant, a phrase each. Empty: fully armed, or off.
  std::vector<std::string> missing{};
  bool owned = false;    // Nobody else can change or flush the tables.
  bool guarded = false;  // And that outlives this program: a guardian holds them.
  bool watched = false;  // A watcher lives and, where there is something to hold, holds it as well.
  std::string hash{};    // Of the ruleset.
  // Packets that were kept in since the ruleset was loaded.
  std::uint64_t stopped_local = 0;
  std::uint64_t stopped_forwarded = 0;
  std::uint64_t stopped_devices = 0;
  std::uint64_t refused_input = 0;
  std::uint64_t transport = 0;  // And the tunnel's own that were let out.
  std::vector<SplitTraffic> split{};
  std::vector<std::string> tunnels_up{};  // Those of the policy's that stand at this moment.
  // What somebody tries, though the lock keeps it in: a sentence each.
  std::vector<std::string> alarms{};

  bool is_locked() const { return policy.state != hostnet::LockState::Off; }
  bool is_armed() const { return is_locked() && missing.empty(); }

  // To who asks from outside, a lock that nobody watches is not armed.
  void expect_watcher();
};

// Of the tables that the policy, with its devices, stands for.
std::string ruleset_hash(const hostnet::LockPolicy& policy);

class KillSwitch {
 public:
  // How long to wait for another process to finish its change.
  static constexpr Duration kTurnPatience = std::chrono::seconds(10);

  // `descriptor` owns the tables already: systemd kept it. Without, the guardian is asked.
  static Result<KillSwitch> open(const Places& places, const os::Fd& descriptor = {});

  // What is meant, by the record on disk. Resolvers are only for as long as somebody holds the lock
  // on files().asking_path(): the exception ends with who asked for it.
  const hostnet::LockPolicy& policy() const { return policy_; }

  // Makes `wanted` true, in one transaction for the tables: on disk first, then in the kernel, then
  // forgets live connections but those of management. Devices are filled in from the host. When it
  // fails, all is as it was, without what park() started where nothing is locked. Off is the only
  // way out, and takes everything back.
  Status change(hostnet::LockPolicy wanted);

  // Makes policy() true again after somebody interfered: all of it that can be. Whatever fails,
  // what keeps the host locked stays.
  Status mend();

  Result<LockReport> inspect();

  // Goes back to what policy() is now at `deadline`, unless confirm() comes first: before change(),
  // after park(). Somebody has to watch the clock; the watcher does. A change() that fails ends it.
  Status expect_confirmation(MonoTime deadline);
  // Fails with NotFound when nothing waits for it.
  Status confirm();
  Result<std::optional<MonoTime>> confirmation_deadline() const;
  Status revert();

  // Sees to it that the tables of `policy` stay owned when this process ends. Before change(), so
  // that there is no moment in which nobody else has what owns them. REQUIRES: one thread.
  Status park(const hostnet::LockPolicy& policy);
  // The descriptor that owns the tables, for systemd or to keep. Empty when there is none.
  Result<os::Fd> descriptor() const;

  // For the watcher: it has this now. Whoever has the turn knows by it that it does.
  Status watch_with(const os::Fd& kept);
  // Whether a watcher lives and has what owns the tables at this moment, if anything does.
  Result<bool> is_watched();

  const LockFiles& files() const { return files_; }
  // Whether there is more than a record: somebody has made it true since the host started.
  bool stands() const { return os::file_exists(applier_.claims().standing_path(policy_.owner())); }

 private:
  KillSwitch(os::FileLock turn, os::HostApplier applier, LockFiles files)
      : turn_(std::move(turn)), applier_(std::move(applier)), files_(std::move(files)) {}

  // Whether the tables are ours to change. Not for a moment after a guardian was killed.
  Result<bool> take_descriptor(const os::Fd& descriptor);
  hostnet::LockPolicy on_host(hostnet::LockPolicy policy, const hostnet::HostState& host) const;
  // Whether the route's interface speaks its family.
  bool takes(const hostnet::Route& route) const;
  hostnet::WantedHost wanted_of(const hostnet::LockPolicy& policy,
                                const hostnet::HostState& host) const;
  Status apply(const hostnet::LockPolicy& policy);
  bool watcher_has(std::uint32_t owner) const;
  // Devices and whatever else follows from the host. Fails when what comes out cannot be a lock.
  Status complete(hostnet::LockPolicy& wanted, const hostnet::HostState& host) const;
  Status replace(hostnet::LockPolicy wanted, const hostnet::HostState& host);
  Status forget_connections();
  Status outlive_process() const;
  Status go_back(hostnet::LockPolicy former, bool stood);
  // Takes back what was begun for a change that does not come.
  void give_up();
  Status take_away();

  // Before the claims: who waits for those holds the ledger, which whoever has the turn needs.
  os::FileLock turn_;
  os::HostApplier applier_;
  LockFiles files_;
  hostnet::LockPolicy policy_;
  bool expects_ = false;                          // By expect_confirmation() of this one.
  std::optional<LockFiles::Pending> superseded_;  // What waited before that.
};

// Where the tunnel's datagrams may go, in the order of its file's peers, while a lock for it stands
// that has been made since the host started. Else empty.
std::vector<net::Endpoint> locked_endpoints(const Places& places, const std::string& interface);

}  // namespace ginnel::killswitch

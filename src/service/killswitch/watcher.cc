#include "service/killswitch/watcher.h"

#include <fmt/format.h>

#include <functional>
#include <thread>
#include <utility>

#include "base/log.h"
#include "os/clock.h"
#include "os/descriptor_guardian.h"
#include "os/file.h"
#include "os/network_monitor.h"
#include "os/nft_monitor.h"
#include "os/poller.h"
#include "os/process.h"
#include "os/service_notifier.h"
#include "os/signal_fd.h"
#include "service/killswitch/watch_schedule.h"

namespace ginnel::killswitch {
namespace {

constexpr auto kTurnInterval = std::chrono::milliseconds(10);

class Watcher {
 public:
  static Result<Watcher> create(const Places& places);
  Status run(const std::function<Status()>& ready);

 private:
  Watcher(Places places, os::Fd kept, os::FileLock alive, os::NetworkMonitor network,
          os::NftMonitor nft, os::SignalFd signals, os::Poller poller)
      : places_(std::move(places)),
        kept_(std::move(kept)),
        alive_(std::move(alive)),
        network_(std::move(network)),
        nft_(std::move(nft)),
        signals_(std::move(signals)),
        poller_(std::move(poller)) {}

  enum class Turn { On, Off };
  Result<Turn> look();
  Status undo_if_due(KillSwitch& lock);
  Status keep(KillSwitch& lock);
  bool wait();

  Places places_;
  os::Fd kept_;      // Owns the tables.
  os::Fd guardian_;  // Readable when it has ended.
  std::optional<os::FileLock> alive_;
  os::NetworkMonitor network_;
  os::NftMonitor nft_;
  os::SignalFd signals_;
  os::Poller poller_;
  os::ServiceNotifier notifier_ = os::ServiceNotifier::from_environment();
  ToldAlarms told_;
  WatchSchedule schedule_;
  os::Clock clock_;
};

// Within a turn, so that nobody takes what a former watcher had for ours.
Result<os::FileLock> come_alive(const Places& places, const os::Fd& kept) {
  auto lock = KillSwitch::open(places, kept);
  if (!lock) return pass(std::move(lock));
  auto alive = os::FileLock::take(lock->files().watcher_path());
  if (!alive) return alive;
  if (Status removed = lock->files().remove_watched(); !removed) return pass(std::move(removed));
  return alive;
}

Result<Watcher> Watcher::create(const Places& places) {
  os::Fd kept = os::inherited_descriptor(kDescriptorName);
  auto signals = os::SignalFd::create();
  if (!signals) return pass(std::move(signals));
  // Listening comes before looking: what changes in between is looked at again.
  auto network = os::NetworkMonitor::open();
  if (!network) return pass(std::move(network));
  auto nft = os::NftMonitor::open();
  if (!nft) return pass(std::move(nft));
  auto alive = come_alive(places, kept);
  if (!alive) return pass(std::move(alive));
  const os::Poller::Watched watched[] = {{network->fd(), 0}, {nft->fd(), 0}, {signals->fd(), 0}};
  auto poller = os::Poller::watching(watched);
  if (!poller) return pass(std::move(poller));
  return Watcher(places, std::move(kept), std::move(*alive), std::move(*network), std::move(*nft),
                 std::move(*signals), std::move(*poller));
}

Status Watcher::undo_if_due(KillSwitch& lock) {
  const auto deadline = lock.confirmation_deadline();
  if (!deadline) return std::unexpected(deadline.error());
  if (!schedule_.goes_back(clock_.mono(), *deadline)) return ok();
  log::warn("kill switch: the change was not confirmed in time; the former state comes back");
  return lock.revert();
}

// So that the tables stay owned whoever is killed: this process has the descriptor, a guardian, and
// systemd where there is one.
Status Watcher::keep(KillSwitch& lock) {
  auto descriptor = lock.descriptor();
  if (!descriptor) return pass(std::move(descriptor));
  kept_ = std::move(*descriptor);
  if (Status said = lock.watch_with(kept_); !said) return said;
  notifier_.store(kDescriptorName, kept_);
  const std::string path = lock.files().guardian_path();
  const bool had_guardian = static_cast<bool>(std::exchange(guardian_, {}));
  if (had_guardian && lock.policy().owned && !os::end_of_guardian(path)) {
    log::warn("kill switch: the guardian has ended; another one takes its place");
  }
  if (Status parked = lock.park(lock.policy()); !parked) return parked;
  guardian_ = os::end_of_guardian(path);
  if (!guardian_) return ok();
  return poller_.add(guardian_.get(), 0, os::Interest::Read);
}

Result<Watcher::Turn> Watcher::look() {
  schedule_.begin(clock_.mono());
  auto lock = KillSwitch::open(places_, kept_);
  if (!lock) return pass(std::move(lock));
  if (Status undone = undo_if_due(*lock); !undone) return pass(std::move(undone));
  if (lock->policy().state == hostnet::LockState::Off) {
    alive_.reset();  // Within our turn: who locks next sees that nobody watches.
    return Turn::Off;
  }
  if (!lock->policy().resolvers.empty()) {
    schedule_.look_within(clock_.mono(), WatchSchedule::kAskingInterval);
  }
  const Status kept = keep(*lock);  // Before anything that can fail.
  const auto report = lock->inspect();
  if (!report) return std::unexpected(report.error());
  for (const std::string& missing : report->missing) log::warn("kill switch: {}", missing);
  for (const std::string& alarm : told_.take_new(report->alarms)) {
    log::warn("kill switch: {}", alarm);
  }
  const Status mended = report->is_armed() ? ok() : lock->mend();
  for (const Status& done : {kept, mended}) {
    if (!done) log::error("kill switch: {}", done.error().message);
  }
  schedule_.note_outcome(clock_.mono(), kept && mended);
  // One that was killed before its end could be watched for.
  if (kept && report->owned && !guardian_) {
    schedule_.look_within(clock_.mono(), WatchSchedule::kRetryInterval);
  }
  return Turn::On;
}

// False when we are asked to stop.
bool Watcher::wait() {
  poller_.wait_until(schedule_.next_look());
  while (const auto signal = signals_.take()) {
    if (signal == os::Signal::Stop) return false;
  }
  if (const auto events = network_.read(); !events) log::error("{}", events.error().message);
  nft_.take_change();
  notifier_.watchdog();
  return true;
}

Status Watcher::run(const std::function<Status()>& ready) {
  bool is_ready = false;
  do {
    const auto turn = look();
    if (!turn) {
      log::error("kill switch: {}", turn.error().message);
      schedule_.look_within(clock_.mono(), WatchSchedule::kRetryInterval);
    }
    if (turn && !is_ready) {
      if (Status told = ready(); !told) return told;
      notifier_.ready();
      os::set_thread_name("ginnel-watcher");  // Of the whole process, for `ps`.
      is_ready = true;
    }
    if (turn && *turn == Turn::Off) return ok();
  } while (wait());
  notifier_.stopping();
  return ok();
}

}  // namespace

Status watch(const Places& places, const std::function<Status()>& ready) {
  auto watcher = Watcher::create(places);
  if (!watcher) return pass(std::move(watcher));
  return watcher->run(ready);
}

Result<bool> is_watched(const Places& places) {
  const auto lock = KillSwitch::open(places);
  if (!lock) return std::unexpected(lock.error());
  return os::FileLock::is_taken(lock->files().watcher_path());
}

Status await_watcher(const Places& places) {
  const os::Clock clock;
  const MonoTime deadline = clock.mono() + KillSwitch::kTurnPatience;
  for (;; std::this_thread::sleep_for(kTurnInterval)) {
    auto lock = KillSwitch::open(places);
    if (!lock) return pass(std::move(lock));
    if (lock->policy().state == hostnet::LockState::Off) return ok();
    const auto watched = lock->is_watched();
    if (!watched) return std::unexpected(watched.error());
    if (*watched) return ok();
    const std::string path = lock->files().watcher_path();
    if (!os::FileLock::is_taken(path)) {
      return fail(ErrorCode::Unavailable, "nobody watches the kill switch; lock again");
    }
    if (clock.mono() > deadline) {
      return fail(ErrorCode::Unavailable,
                  fmt::format("the kill switch's watcher does not answer; end the process that {} "
                              "names, and lock again",
                              path));
    }
  }
}

}  // namespace ginnel::killswitch

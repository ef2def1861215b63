#include "os/sysctl_claims.h"

#include <errno.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <algorithm>

#include "core/hostnet/forwarding.h"
#include "os/os_error.h"

namespace ginnel::os {
namespace {

using hostnet::LedgerEntry;
using hostnet::Owner;
using hostnet::Sysctl;
using hostnet::SysctlLedger;

constexpr int kSocketNetnsCookie = 71;  // SO_NETNS_COOKIE; not in every libc's headers.
constexpr mode_t kDirectoryMode = 0755;

// What tells this network namespace from every other of this boot: settings under net/ are its own.
std::string namespace_name() {
  const Fd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  std::uint64_t cookie = 0;
  socklen_t size = sizeof cookie;
  if (socket && ::getsockopt(socket.get(), SOL_SOCKET, kSocketNetnsCookie, &cookie, &size) == 0) {
    return fmt::format("net-{}", cookie);
  }
  // Before Linux 5.14.
  struct stat status{};
  if (::stat("/proc/thread-self/ns/net", &status) == 0) {
    return fmt::format("net-inode-{}", status.st_ino);
  }
  return "net";
}

// The settings that the kernel changes when forwarding of one family is switched off again.
struct Followers {
  std::string_view forwarding;
  std::string_view interfaces;  // Each has a `forwarding` that follows.
  std::string_view redirects;   // Set to 1 when forwarding goes off; empty: not so.
};
constexpr Followers kFollowers[] = {
    {hostnet::kForwarding4, "net/ipv4/conf", "net/ipv4/conf/all/accept_redirects"},
    {hostnet::kForwarding6, "net/ipv6/conf", ""},
};

}  // namespace

SysctlClaims::SysctlClaims(std::string directory, Owner owner, SysctlTree tree)
    : directory_(std::move(directory)), owner_(std::move(owner)), tree_(std::move(tree)) {}

std::string SysctlClaims::directory_in(const std::string& run_directory) {
  return fmt::format("{}/{}", run_directory, namespace_name());
}

Result<SysctlClaims> SysctlClaims::open(const std::string& run_directory, const Owner& owner,
                                        SysctlTree tree, Former former) {
  SysctlClaims claims(directory_in(run_directory), owner, std::move(tree));
  if (Status made = make_directories(claims.directory_, kDirectoryMode); !made) {
    return pass(std::move(made));
  }
  auto boot = SysctlTree().read("kernel/random/boot_id");
  if (!boot) return pass(std::move(boot));
  claims.boot_ = std::move(*boot);

  auto locked = claims.lock_ledger();
  if (!locked) return pass(std::move(locked));
  auto alive = FileLock::take(claims.lock_path(owner));
  if (!alive) return pass(std::move(alive));
  auto ledger = claims.load();
  if (!ledger) return pass(std::move(ledger));
  if (Status cleaned = claims.clean_up_dead(*ledger, former); !cleaned)
    return pass(std::move(cleaned));
  claims.alive_ = std::move(*alive);
  return claims;
}

std::string SysctlClaims::lock_path(const Owner& owner) const {
  return fmt::format("{}/{}.lock", directory_, owner.table_name());
}

bool SysctlClaims::is_alive(const Owner& owner) const {
  if (owner == owner_) return true;
  if (file_exists(standing_path(owner))) return true;
  // Only looked at: who takes a lock waits for one that is just dying, and the whole ledger with
  // it.
  return FileLock::is_taken(lock_path(owner));
}

std::string SysctlClaims::standing_path(const Owner& owner) const {
  return fmt::format("{}/{}.standing", directory_, owner.table_name());
}

// Held while the ledger is read, changed and acted upon, by one process at a time.
Result<Fd> SysctlClaims::lock_ledger() const {
  const std::string path = directory_ + "/ledger.lock";
  Fd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!fd) return os_fail("open lock file " + path, errno);
  while (::flock(fd.get(), LOCK_EX) != 0) {
    if (errno != EINTR) return os_fail("lock " + path, errno);
  }
  return fd;
}

Result<SysctlLedger> SysctlClaims::load() const {
  const std::string path = directory_ + "/ledger";
  if (!file_exists(path)) return SysctlLedger(boot_);
  auto text = read_file(path, SysctlLedger::kMaxTextSize);
  if (!text) return pass(std::move(text));
  auto ledger = SysctlLedger::parse(*text);
  if (!ledger) {
    return fail(ledger.error().code,
                fmt::format("{}: {}; remove the file", path, ledger.error().message));
  }
  if (ledger->boot() != boot_) return SysctlLedger(boot_);
  return ledger;
}

Status SysctlClaims::save(const SysctlLedger& ledger) const {
  return write_file_atomically(directory_ + "/ledger", ledger.to_text(), 0600);
}

Status SysctlClaims::clean_up_dead(SysctlLedger& ledger, Former former) const {
  Status outcome = ok();
  bool changed = false;
  for (const Owner& owner : ledger.owners()) {
    // A dead one of our own name has left its claims too: we have made none yet.
    if (owner == owner_ ? former == Former::Keep : is_alive(owner)) continue;
    const Status restored = put_back(ledger.release(owner));
    if (!restored && outcome) outcome = restored;
    changed = true;
  }
  if (!changed) return outcome;
  const Status saved = save(ledger);
  return outcome ? saved : outcome;
}

std::vector<Sysctl> SysctlClaims::side_effects_of(const Sysctl& wanted,
                                                  const std::string& current) const {
  std::vector<Sysctl> effects;
  for (const Followers& followers : kFollowers) {
    if (followers.forwarding != wanted.path || current == wanted.value) continue;
    const auto interfaces = tree_.list(followers.interfaces);
    if (!interfaces) continue;
    for (const std::string& interface : *interfaces) {
      if (interface == "all") continue;
      std::string path = fmt::format("{}/{}/forwarding", followers.interfaces, interface);
      const auto value = tree_.read(path);
      if (value && *value != current) effects.push_back({.path = path, .value = *value});
    }
    if (followers.redirects.empty()) continue;
    if (const auto value = tree_.read(followers.redirects)) {
      effects.push_back({.path = std::string(followers.redirects), .value = *value});
    }
  }
  return effects;
}

Result<std::optional<LedgerEntry>> SysctlClaims::find(std::string_view path) const {
  const auto locked = lock_ledger();
  if (!locked) return std::unexpected(locked.error());
  const auto ledger = load();
  if (!ledger) return std::unexpected(ledger.error());
  const LedgerEntry* entry = ledger->find(path);
  return entry != nullptr ? std::optional(*entry) : std::nullopt;
}

// Interfaces come and go for as long as a server runs.
void SysctlClaims::forget_gone(SysctlLedger& ledger) const {
  std::vector<std::string> gone;
  for (const LedgerEntry& entry : ledger.entries()) {
    const auto current = tree_.read(entry.path);
    if (!current && current.error().code == ErrorCode::NotFound) gone.push_back(entry.path);
  }
  for (const std::string& path : gone) ledger.forget(path);
}

Status SysctlClaims::claim(const std::vector<Sysctl>& wanted) {
  auto locked = lock_ledger();
  if (!locked) return pass(std::move(locked));
  auto ledger = load();
  if (!ledger) return pass(std::move(ledger));
  for (const Sysctl& setting : wanted) {
    const auto current = tree_.read(setting.path);
    if (!current) return std::unexpected(current.error());
    const SysctlLedger before = *ledger;
    if (ledger->find(setting.path) == nullptr) forget_gone(*ledger);
    Status claimed = ledger->claim(owner_, setting, *current, side_effects_of(setting, *current));
    if (!claimed) return claimed;
    if (*ledger != before) {
      if (Status saved = save(*ledger); !saved) return saved;
    }
    if (*current == setting.value) continue;
    if (Status written = tree_.write(setting.path, setting.value); !written) return written;
  }
  return ok();
}

Status SysctlClaims::put_back(const std::vector<LedgerEntry>& entries) const {
  Status outcome = ok();
  const auto note = [&](Status status) {
    if (!status && outcome) outcome = std::move(status);
  };
  for (const LedgerEntry& entry : entries) {
    const auto current = tree_.read(entry.path);
    // Gone with its interface, or set by somebody else since: not ours to change.
    if (!current || *current != entry.value || entry.value == entry.original) continue;
    Status written = tree_.write(entry.path, entry.original);
    const bool restored = written.has_value();
    note(std::move(written));
    if (!restored) continue;
    for (const Sysctl& effect : entry.side_effects) {
      const auto now = tree_.read(effect.path);
      if (now && *now != effect.value) note(tree_.write(effect.path, effect.value));
    }
  }
  return outcome;
}

Status SysctlClaims::release() {
  auto locked = lock_ledger();
  if (!locked) return pass(std::move(locked));
  auto ledger = load();
  if (!ledger) return pass(std::move(ledger));
  // Put back first: killed in between, the next start finds it put back and forgets it.
  Status restored = put_back(ledger->release(owner_));
  Status saved = save(*ledger);
  return restored ? saved : restored;
}

namespace {

// Where the host listens to router advertisements, and would stop to when it forwards.
class Listeners {
 public:
  static Result<Listeners> find(const SysctlClaims& claims, std::string_view tunnel,
                                const hostnet::HostState& state) {
    auto forwarding = claims.find(hostnet::kForwarding6);
    if (!forwarding) return pass(std::move(forwarding));
    Listeners listeners(claims, std::move(*forwarding));
    const auto advertised = hostnet::advertised_uplinks(state.routes);
    for (const std::string& interface : advertised) listeners.add(interface);
    for (const std::string& interface : hostnet::advertisement_listeners(state, tunnel)) {
      const bool known = std::ranges::find(advertised, interface) != advertised.end();
      if (!known && !listeners.was_router(interface)) listeners.add(interface);
    }
    return listeners;
  }

  const std::vector<Sysctl>& settings() const { return settings_; }
  // Those that did not listen until now, while the host forwarded already.
  const std::vector<std::string>& late() const { return late_; }

 private:
  Listeners(const SysctlClaims& claims, std::optional<LedgerEntry> forwarding)
      : claims_(claims), forwarding_(std::move(forwarding)) {}

  void add(const std::string& interface) {
    Sysctl accept{.path = hostnet::accept_ra_path(interface), .value = "2"};
    const auto current = claims_.tree().read(accept.path);
    // 0: advertisements there are the business of a daemon (systemd-networkd, NetworkManager),
    // whose routes the kernel does not delete; it must not start to listen as well.
    if (!current || *current == "0") return;
    if (forwarding_ && *current != accept.value) late_.push_back(interface);
    settings_.push_back(std::move(accept));
  }

  // Whether it forwarded before any of us made it: then accept_ra = 1 meant "do not listen".
  bool was_router(const std::string& interface) const {
    const std::string path = hostnet::forwarding6_path(interface);
    if (!forwarding_) return claims_.tree().read(path).value_or("1") == "1";
    if (forwarding_->original == "1") return true;
    const auto& effects = forwarding_->side_effects;
    const auto effect = std::ranges::find(effects, path, &Sysctl::path);
    return effect != effects.end() && effect->value == "1";
  }

  const SysctlClaims& claims_;
  std::optional<LedgerEntry> forwarding_;  // Absent: nobody of us has switched it on.
  std::vector<Sysctl> settings_;
  std::vector<std::string> late_;
};

}  // namespace

Result<ForwardingSettings> forwarding_settings(const SysctlClaims& claims,
                                               const ForwardingWanted& wanted,
                                               const hostnet::HostState& state) {
  ForwardingSettings forwarding;
  if (wanted.ipv6) {
    const auto listeners = Listeners::find(claims, wanted.tunnel, state);
    if (!listeners) return std::unexpected(listeners.error());
    forwarding = {.settings = listeners->settings(), .late = listeners->late()};
    forwarding.settings.push_back({.path = std::string(hostnet::kForwarding6), .value = "1"});
  }
  if (wanted.ipv4) {
    forwarding.settings.push_back({.path = std::string(hostnet::kForwarding4), .value = "1"});
  }
  return forwarding;
}

}  // namespace ginnel::os

#include "service/killswitch/kill_switch.h"

#include <fmt/format.h>

#include <thread>
#include <tuple>
#include <utility>

#include "base/log.h"
#include "core/crypto/blake2s.h"
#include "core/hostnet/lock_alarm.h"
#include "core/hostnet/lock_routing.h"
#include "core/hostnet/lock_sessions.h"
#include "core/hostnet/lock_tables.h"
#include "core/hostnet/nft_match.h"
#include "core/hostnet/nft_print.h"
#include "os/cgroup.h"
#include "os/clock.h"
#include "os/connection_table.h"
#include "os/descriptor_guardian.h"
#include "os/file.h"
#include "os/nft_list.h"
#include "os/socket_table.h"

namespace ginnel::killswitch {
namespace {

using hostnet::HostState;
using hostnet::LockedDevice;
using hostnet::LockPolicy;
using hostnet::LockState;
using hostnet::WantedHost;
namespace nft = hostnet::nft;

constexpr std::size_t kHashBytes = 8;
constexpr mode_t kDirectoryMode = 0755;
constexpr auto kTurnInterval = std::chrono::milliseconds(10);
constexpr int kMaxAttempts = 3;

// What a former policy, or one whose process was killed while it changed, put there.
bool is_ours(const LockPolicy& policy, const hostnet::RoutingRule& rule) {
  if (rule.origin != hostnet::RouteOrigin::Ginnel) return false;
  const std::uint32_t priorities[] = {policy.allowed_priority, policy.split_dns_priority(),
                                      policy.split_priority(), policy.tunnel_priority,
                                      policy.unreachable_priority};
  return std::ranges::find(priorities, rule.priority) != std::end(priorities);
}
bool is_ours(const LockPolicy& policy, const hostnet::Route& route) {
  return route.origin == hostnet::RouteOrigin::Ginnel && route.table == policy.table;
}

void add_former(const LockPolicy& before, const LockPolicy& now, const HostState& host,
                hostnet::WantedNetwork& network) {
  for (const hostnet::RoutingRule& rule : host.rules) {
    if (is_ours(before, rule) || is_ours(now, rule)) network.former_rules.push_back(rule);
  }
  for (const hostnet::Route& route : host.routes) {
    if (is_ours(before, route) || is_ours(now, route)) network.former_routes.push_back(route);
  }
}

// The table is the lock's: what somebody put where its routes go has to make way for them.
void add_intruders(const HostState& host, hostnet::WantedNetwork& network) {
  for (const hostnet::Route& route : host.routes) {
    const auto stands_in_its_way = [&](const hostnet::Route& wanted) {
      return share_place(wanted, route);
    };
    if (route.origin == hostnet::RouteOrigin::Ginnel) continue;  // Of a former lock, or its own.
    if (std::ranges::any_of(network.routes, stands_in_its_way)) {
      network.former_routes.push_back(route);
    }
  }
}

// The netlink port of the socket. 0: the tables are plain, or whoever owned them is gone.
std::uint32_t owner_of(const nft::Ruleset& ruleset) {
  const std::string name = LockPolicy::owner().table_name();
  for (const nft::ListedTable& table : ruleset.tables) {
    if (table.name == name && table.owner != 0) return table.owner;
  }
  return 0;
}

// Those whose own settings could be looser than the common ones.
std::vector<std::string> interfaces_of(const LockPolicy& policy, const HostState& host) {
  std::vector<std::string> names;
  for (const hostnet::Link& link : host.links) {
    const bool is_known =
        std::ranges::find(policy.tunnels, link.name) != policy.tunnels.end() ||
        std::ranges::find(policy.devices, link.name, &LockedDevice::name) != policy.devices.end();
    if (is_known) names.push_back(link.name);
  }
  return names;
}

bool ends_in_refusal(const nft::ListedRule& rule) {
  if (rule.expressions.empty()) return false;
  const nft::Expression& last = rule.expressions.back();
  const auto* verdict = std::get_if<nft::Verdict>(&last);
  return std::holds_alternative<nft::RejectPacket>(last) ||
         (verdict && verdict->kind == nft::VerdictKind::Drop);
}

std::uint64_t stopped_in(const nft::ListedTable& table, std::string_view chain) {
  std::uint64_t packets = 0;
  const nft::ListedChain* found = table.find_chain(chain);
  if (!found) return 0;
  for (const nft::ListedRule& rule : found->rules) {
    if (ends_in_refusal(rule)) packets += rule.counted.packets;
  }
  return packets;
}

nft::Counted counted_in(const nft::ListedTable& table, std::string_view chain,
                        std::string_view comment) {
  const nft::ListedChain* found = table.find_chain(chain);
  if (!found) return {};
  const auto rule = std::ranges::find(found->rules, comment, &nft::ListedRule::comment);
  return rule == found->rules.end() ? nft::Counted{} : rule->counted;
}

// Whether what is not marked finds a way at all.
bool leads_into_tunnel(const WantedHost& wanted) {
  return std::ranges::any_of(wanted.network.routes, [](const hostnet::Route& route) {
    return route.type == hostnet::RouteType::Unicast;
  });
}

void count_split(const nft::ListedTable& table, LockReport& report) {
  for (std::size_t place = 0; place < report.policy.split.size(); ++place) {
    const hostnet::SplitProgram& program = report.policy.split[place];
    const std::string comment = hostnet::lock_split_comment(place);
    report.split.push_back({.name = program.to_string(),
                            .present = program.is_present(),
                            .sent = counted_in(table, "output", comment),
                            .received = counted_in(table, "input", comment)});
  }
}

void count(const nft::Ruleset& ruleset, LockReport& report) {
  const std::string name = LockPolicy::owner().table_name();
  for (const nft::ListedTable& table : ruleset.tables) {
    if (table.name != name) continue;
    if (table.family == nft::Family::Inet) {
      report.stopped_local += stopped_in(table, "output") + stopped_in(table, "dns");
      report.stopped_forwarded += stopped_in(table, "forwarded");
      report.refused_input += stopped_in(table, "input") + stopped_in(table, "guard");
      count_split(table, report);
      // The rules for it are the first that count.
      const nft::ListedChain* output = table.find_chain("output");
      const std::size_t transports =
          report.policy.passes_transport() ? report.policy.endpoints.size() : 0;
      for (std::size_t i = 1; output && i <= transports && i < output->rules.size(); ++i) {
        report.transport += output->rules[i].counted.packets;
      }
    } else if (table.family == nft::Family::Netdev) {
      for (const nft::ListedChain& chain : table.chains) {
        report.stopped_devices += stopped_in(table, chain.name);
      }
    }
  }
}

// The lock does not fail for it: a session that is not remembered goes on when it is spoken to.
void remember_sessions(const LockPolicy& policy, const HostState& host) {
  if (policy.manage.empty()) return;
  const auto sockets = os::list_tcp_sockets();
  if (!sockets) {
    log::warn("kill switch: {}", sockets.error().message);
    return;
  }
  const auto sessions = management_sessions(policy, host, *sockets);
  if (Status remembered = os::remember_connections(sessions); !remembered) {
    log::warn("kill switch: {}", remembered.error().message);
  }
}

}  // namespace

std::string ruleset_hash(const LockPolicy& policy) {
  std::string text;
  for (const nft::Table& table : lock_tables(policy)) text += print(table);
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(text.data());
  const crypto::Hash hash = crypto::Blake2s().hash({ByteView(bytes, text.size())});
  std::string digits;
  for (std::size_t i = 0; i < kHashBytes; ++i) digits += fmt::format("{:02x}", hash[i]);
  return digits;
}

void LockReport::expect_watcher() {
  if (!is_locked() || watched) return;
  missing.push_back("nobody watches it; lock again, or start \"ginnel killswitch watch\"");
}

Result<KillSwitch> KillSwitch::open(const Places& places, const os::Fd& descriptor) {
  const os::Clock clock;
  const MonoTime deadline = clock.mono() + kTurnPatience;
  const std::string turn_path = places.run_directory + "/killswitch.turn";
  if (Status made = os::make_directories(places.run_directory, kDirectoryMode); !made) {
    return pass(std::move(made));
  }
  for (;; std::this_thread::sleep_for(kTurnInterval)) {
    const bool is_last = clock.mono() > deadline;
    auto turn = os::FileLock::take(turn_path);
    if (!turn && turn.error().code == ErrorCode::AlreadyExists && !is_last) continue;
    if (!turn) return pass(std::move(turn));
    auto applier = os::HostApplier::open(places.run_directory, LockPolicy::owner(),
                                         os::SysctlClaims::Former::Keep);
    if (!applier) return pass(std::move(applier));
    LockFiles files(places.state_directory, applier->claims().directory());
    auto policy = files.read();
    if (!policy) return pass(std::move(policy));
    KillSwitch lock(std::move(*turn), std::move(*applier), std::move(files));
    lock.policy_ = std::move(*policy);
    if (!os::FileLock::is_taken(lock.files_.asking_path())) lock.policy_.resolvers.clear();
    const auto taken = lock.take_descriptor(descriptor);
    if (!taken) return std::unexpected(taken.error());
    if (*taken) return lock;
    if (is_last) {
      return fail(ErrorCode::Conflict,
                  "the kill switch's tables belong to a process that does not answer; end the one "
                  "that \"nft list tables\" names");
    }
  }
}

Result<bool> KillSwitch::take_descriptor(const os::Fd& descriptor) {
  auto owner = os::borrow_from_guardian(files_.guardian_path());
  if (!owner) return pass(std::move(owner));
  // What somebody else kept can be of a former lock: off and on again made new tables.
  if (!*owner && descriptor) {
    auto kept = os::NftSocket::duplicate(descriptor);
    if (!kept) return pass(std::move(kept));
    *owner = std::move(*kept);
  }
  auto socket = *owner ? os::NftSocket::adopt(std::move(**owner)) : os::NftSocket::open();
  if (!socket) return pass(std::move(socket));
  applier_.own_tables_by(std::move(*socket));
  if (*owner) return true;
  // The watcher has a copy, or systemd, and will start another guardian when it has its turn.
  const auto ruleset = os::read_ruleset(applier_.nft());
  if (!ruleset) return std::unexpected(ruleset.error());
  const std::string name = LockPolicy::owner().table_name();
  return std::ranges::none_of(ruleset->tables, [&](const nft::ListedTable& table) {
    return table.name == name && table.owned;
  });
}

LockPolicy KillSwitch::on_host(LockPolicy policy, const HostState& host) const {
  policy.devices = lockable_devices(host, policy.tunnels, policy.lans);
  policy.own_addresses = addresses_to_answer_from(host, policy);
  for (hostnet::SplitProgram& program : policy.split) {
    if (!program.has_user()) program.cgroup_id = os::find_cgroup(program.cgroup).value_or(0);
  }
  return policy;
}

// Where IPv6 is switched off there is no way through the tunnel, and `unreachable` stands for it.
bool KillSwitch::takes(const hostnet::Route& route) const {
  if (route.destination.family() == net::Family::V4) return true;
  const auto disabled =
      applier_.claims().tree().read(fmt::format("net/ipv6/conf/{}/disable_ipv6", route.interface));
  return disabled && *disabled == "0";
}

WantedHost KillSwitch::wanted_of(const LockPolicy& policy, const HostState& host) const {
  hostnet::LockRouting routing = lock_routing(policy);
  WantedHost wanted{.tables = lock_tables(policy),
                    .sysctls = lock_settings(policy, interfaces_of(policy, host))};
  wanted.network.rules = std::move(routing.rules);
  wanted.network.routes = std::move(routing.unreachable);
  for (hostnet::Route& route : routing.through_tunnel) {
    const hostnet::Link* link = host.find_link(route.interface);
    if (link && link->up && takes(route)) wanted.network.routes.push_back(std::move(route));
  }
  add_former(policy_, policy, host, wanted.network);
  add_intruders(host, wanted.network);
  return wanted;
}

// Nothing is undone here: whatever cannot be done, the tables stand. An interface may come or go
// between looking and doing, so what is refused is looked at again.
Status KillSwitch::apply(const LockPolicy& policy) {
  Status applied = ok();
  for (int attempt = 0; attempt < kMaxAttempts; ++attempt) {
    const auto host = applier_.read();
    if (!host) return std::unexpected(host.error());
    const LockPolicy complete = on_host(policy, *host);
    if (Status checked = check(complete); !checked) return checked;
    applied = applier_.hold(wanted_of(complete, *host));
    if (applied) break;
  }
  return applied;
}

// From policy(), which could not be made true as a whole. A lock that stood without a record here,
// because that was lost or is in another folder, is not for us to take away.
Status KillSwitch::go_back(LockPolicy former, bool stood) {
  if (former.state == LockState::Off && !stood) return take_away();
  if (Status written = files_.write(former); !written) return written;
  Status applied = former.state == LockState::Off ? ok() : apply(former);
  policy_ = std::move(former);
  return applied;
}

Status KillSwitch::change(LockPolicy wanted) {
  if (wanted.state == LockState::Off) return take_away();
  const auto host = applier_.read();
  Status changed = host ? complete(wanted, *host) : std::unexpected(host.error());
  if (changed) {
    LockPolicy former = policy_;
    const bool stood = stands();
    changed = replace(std::move(wanted), *host);
    // What was refused is what the caller has to hear of.
    if (!changed) std::ignore = go_back(std::move(former), stood);
  }
  if (!changed) {
    give_up();
    return changed;
  }
  expects_ = false;
  return forget_connections();
}

Status KillSwitch::complete(LockPolicy& wanted, const HostState& host) const {
  wanted = on_host(std::move(wanted), host);
  if (!wanted.known_routes) {
    const bool is_on = policy_.state != LockState::Off;
    wanted.known_routes = is_on ? policy_.known_routes : routes_to_know(host, wanted.devices);
  }
  return check(wanted);
}

Status KillSwitch::replace(LockPolicy wanted, const HostState& host) {
  if (!connections_live_on(policy_, wanted)) {
    if (Status owed = files_.owe_forgetting(); !owed) return owed;
  }
  if (Status written = files_.write(wanted); !written) return written;
  if (Status stands = outlive_process(); !stands) return stands;
  remember_sessions(wanted, host);
  policy_ = std::move(wanted);
  return apply(policy_);
}

void KillSwitch::give_up() {
  if (std::exchange(expects_, false)) {
    std::ignore = superseded_ ? files_.write_pending(*superseded_) : files_.remove_pending();
  }
  if (policy_.state != LockState::Off || stands()) return;
  std::ignore = files_.remove_pending();
  std::ignore = os::dismiss_guardian(files_.guardian_path());
}

// One that lived before would go on in clear if only its next packet were looked at, or with the
// address of another tunnel. To those that may live on it would be the end as well: an answer whose
// question is forgotten is let in by nobody.
Status KillSwitch::forget_connections() {
  if (!files_.owes_forgetting()) return ok();
  Status forgotten = os::forget_connections_without(policy_.manage_mark.mask);
  return forgotten ? files_.have_forgotten() : forgotten;
}

Status KillSwitch::mend() {
  if (policy_.state == LockState::Off) return ok();
  const Status stands = outlive_process();  // At boot, there is only the record.
  const Status applied = apply(policy_);
  return applied ? stands : applied;
}

// Else whoever clears away what dead processes left takes the tables for such.
Status KillSwitch::outlive_process() const {
  if (stands()) return ok();
  return os::write_file_atomically(applier_.claims().standing_path(policy_.owner()), "", 0600);
}

// The record goes last: whatever happens before, the next boot locks.
Status KillSwitch::take_away() {
  const auto host = applier_.read();
  if (!host) return std::unexpected(host.error());
  WantedHost nothing;
  add_former(policy_, policy_, *host, nothing.network);
  if (Status applied = applier_.apply(nothing); !applied) return applied;
  if (Status removed = applier_.remove_all(); !removed) return removed;
  if (Status written = files_.write({}); !written) return written;
  if (Status forgotten = files_.remove_pending(); !forgotten) return forgotten;
  if (Status settled = files_.have_forgotten(); !settled) return settled;
  policy_ = {};
  Status gone = os::remove_file(applier_.claims().standing_path(LockPolicy::owner()));
  if (Status dismissed = os::dismiss_guardian(files_.guardian_path()); !dismissed) return dismissed;
  return gone;
}

Result<LockReport> KillSwitch::inspect() {
  LockReport report{.policy = policy_};
  if (policy_.state == LockState::Off) return report;
  const auto host = applier_.read();
  if (!host) return std::unexpected(host.error());
  report.policy = on_host(policy_, *host);
  report.hash = ruleset_hash(report.policy);
  const auto ruleset = os::read_ruleset(applier_.nft());
  if (!ruleset) return std::unexpected(ruleset.error());
  const auto owns = policy_.owned ? applier_.can_own_tables(*ruleset) : Result<bool>(false);
  if (!owns) return std::unexpected(owns.error());
  report.owned = *owns;
  for (const std::string& tunnel : report.policy.tunnels) {
    const hostnet::Link* link = host->find_link(tunnel);
    if (link && link->up) report.tunnels_up.push_back(tunnel);
  }
  const WantedHost wanted = wanted_of(report.policy, *host);
  for (nft::Table table : wanted.tables) {
    table.owned = report.owned;
    const bool stands = std::ranges::any_of(
        ruleset->tables, [&](const nft::ListedTable& listed) { return is_loaded(listed, table); });
    if (stands) continue;
    report.missing.push_back(
        fmt::format("table {} {} is not what it should be", name_of(table.family), table.name));
  }
  const auto operations = hostnet::plan(*host, wanted.network);
  if (!operations) return std::unexpected(operations.error());
  for (const hostnet::Operation& operation : *operations) {
    report.missing.push_back("routing: someone has to " + describe(operation));
  }
  for (const hostnet::Sysctl& setting : wanted.sysctls) {
    const auto value = applier_.claims().tree().read(setting.path);
    if (value && *value == setting.value) continue;
    report.missing.push_back(
        fmt::format("{} is {}, not {}", setting.path, value.value_or("unknown"), setting.value));
  }
  if (!stands()) report.missing.push_back("other commands take it for what a dead process left");
  const auto guardian = os::borrow_from_guardian(files_.guardian_path());
  report.guarded = report.owned && guardian && *guardian &&
                   os::NftSocket::port_of(**guardian) == owner_of(*ruleset);
  if (report.owned && !report.guarded) report.missing.push_back("nobody guards the tables");
  report.watched = watcher_has(owner_of(*ruleset));
  count(*ruleset, report);
  for (std::size_t place = 0; place < report.split.size(); ++place) {
    report.split[place].has_way =
        report.policy.split[place].has_user() || leads_into_tunnel(wanted);
  }
  for (const hostnet::Route& route : injected_routes(report.policy, *host)) {
    report.alarms.push_back(
        fmt::format("route {} came after the lock, which keeps in what follows it; a DHCP server "
                    "or a router may have sent it (\"ip {}route del {}\" removes it)",
                    route.to_string(), route.destination.family() == net::Family::V6 ? "-6 " : "",
                    route.to_string()));
  }
  return report;
}

Status KillSwitch::expect_confirmation(MonoTime deadline) {
  // What stood before an unconfirmed change is what two of them go back to.
  auto waiting = files_.read_pending();
  if (!waiting) return pass(std::move(waiting));
  superseded_ = std::move(*waiting);
  expects_ = true;
  Status written = files_.write_pending(
      {.deadline = deadline, .former = superseded_ ? superseded_->former : policy_});
  if (!written) give_up();
  return written;
}

Status KillSwitch::confirm() {
  const auto waiting = files_.read_pending();
  if (!waiting) return std::unexpected(waiting.error());
  if (!*waiting) return fail(ErrorCode::NotFound, "no change waits to be confirmed");
  return files_.remove_pending();
}

Result<std::optional<MonoTime>> KillSwitch::confirmation_deadline() const {
  const auto waiting = files_.read_pending();
  if (!waiting) return std::unexpected(waiting.error());
  return *waiting ? std::optional((*waiting)->deadline) : std::nullopt;
}

Status KillSwitch::revert() {
  const auto waiting = files_.read_pending();
  if (!waiting) return std::unexpected(waiting.error());
  if (!*waiting) return fail(ErrorCode::NotFound, "no change waits to be confirmed");
  if (Status changed = change((*waiting)->former); !changed) return changed;
  return files_.remove_pending();
}

Status KillSwitch::park(const LockPolicy& policy) {
  if (policy.state == LockState::Off || !policy.owned) return ok();
  const auto ruleset = os::read_ruleset(applier_.nft());
  if (!ruleset) return std::unexpected(ruleset.error());
  const auto owns = applier_.can_own_tables(*ruleset);
  if (!owns) return std::unexpected(owns.error());
  if (!*owns) return ok();
  const auto kept = descriptor();
  if (!kept) return std::unexpected(kept.error());
  return os::start_guardian(files_.guardian_path(), *kept);
}

Result<os::Fd> KillSwitch::descriptor() const { return applier_.owner_descriptor(); }

Status KillSwitch::watch_with(const os::Fd& kept) {
  const std::uint32_t port = os::NftSocket::port_of(kept);
  return files_.read_watched() == port ? ok() : files_.write_watched(port);
}

bool KillSwitch::watcher_has(std::uint32_t owner) const {
  if (!os::FileLock::is_taken(files_.watcher_path())) return false;
  const auto held = files_.read_watched();
  return held && (owner == 0 || *held == owner);
}

std::vector<net::Endpoint> locked_endpoints(const Places& places, const std::string& interface) {
  if (!os::file_exists(LockFiles(places.state_directory, {}).policy_path())) return {};
  const auto lock = KillSwitch::open(places);
  if (!lock || !lock->stands()) return {};
  const LockPolicy& policy = lock->policy();
  return policy.tunnels == std::vector{interface} ? policy.endpoints : std::vector<net::Endpoint>{};
}

Result<bool> KillSwitch::is_watched() {
  const auto ruleset = os::read_ruleset(applier_.nft());
  if (!ruleset) return std::unexpected(ruleset.error());
  return watcher_has(owner_of(*ruleset));
}

}  // namespace ginnel::killswitch

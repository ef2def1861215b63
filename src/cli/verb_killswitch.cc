// The verbs that lock the host by itself, without a gateway: killswitch on, off, confirm, status,
// and watch, which is what keeps it.
#include "base/log.h"
#include "cli/args.h"
#include "cli/io.h"
#include "cli/killswitch_watcher.h"
#include "cli/lock_flags.h"
#include "cli/verbs.h"
#include "http/json.h"
#include "os/capability.h"
#include "os/clock.h"
#include "os/rtnetlink.h"
#include "os/signal_fd.h"
#include "service/gateway/gateway_record.h"
#include "service/killswitch/kill_switch.h"
#include "service/killswitch/request.h"
#include "service/killswitch/watcher.h"

namespace ginnel::cli {
namespace {

using killswitch::KillSwitch;
using killswitch::LockReport;
using killswitch::Places;

constexpr std::string_view kPage = "docs/killswitch.md";
constexpr unsigned kDefaultConfirmSeconds = 60;
constexpr unsigned kMaxConfirmSeconds = 3600;

Places places_of(const Args& args) {
  Places places;
  if (const auto directory = args.value("--state-dir")) places.state_directory = *directory;
  return places;
}

// Zero: it stays without being asked for. Absent: as it was before.
Result<std::optional<unsigned>> confirm_seconds(const Args& args, const Io& io) {
  const bool is_remote = io.environment("SSH_CONNECTION").has_value();
  if (!is_remote && !args.value("--confirm")) return std::nullopt;
  const auto seconds =
      args.number<unsigned>("--confirm", 0, kMaxConfirmSeconds, kDefaultConfirmSeconds);
  if (!seconds) return std::unexpected(seconds.error());
  return *seconds;
}

Result<hostnet::LockPolicy> wanted_policy(const Args& args, const Io& io) {
  auto rtnetlink = os::Rtnetlink::open();
  if (!rtnetlink) return pass(std::move(rtnetlink));
  const auto host = rtnetlink->read();
  if (!host) return std::unexpected(host.error());
  auto interruption = quick::Interruption::create();
  if (!interruption) return pass(std::move(interruption));
  killswitch::Request request = lock_request(args, io);
  request.locked = [&](const std::string& interface) {
    return killswitch::locked_endpoints(places_of(args), interface);
  };
  return killswitch::policy_of(request, *host, *interruption);
}

struct Locked {
  LockReport report;
  std::optional<MonoTime> deadline;  // To confirm it.
};

Result<Locked> lock(const Places& places, const hostnet::LockPolicy& policy,
                    std::optional<unsigned> confirm_within) {
  auto kill_switch = KillSwitch::open(places);
  if (!kill_switch) return pass(std::move(kill_switch));
  Status may = gateway::check_not_running(kill_switch->policy(), places.run_directory);
  if (!may) return pass(std::move(may));
  if (Status parked = kill_switch->park(policy); !parked) return pass(std::move(parked));
  if (confirm_within.value_or(0) != 0) {
    const MonoTime deadline = os::Clock().mono() + std::chrono::seconds(*confirm_within);
    Status expected = kill_switch->expect_confirmation(deadline);
    if (!expected) return pass(std::move(expected));
  }
  if (Status changed = kill_switch->change(policy); !changed) return pass(std::move(changed));
  if (confirm_within == 0u) std::ignore = kill_switch->confirm();
  auto report = kill_switch->inspect();
  if (!report) return pass(std::move(report));
  auto waits_until = kill_switch->confirmation_deadline();
  if (!waits_until) return pass(std::move(waits_until));
  return Locked{.report = std::move(*report), .deadline = *waits_until};
}

int run_on(const Args& args, Io& io) {
  constexpr std::string_view kVerb = "killswitch on";
  log::start(log::Level::Warn);
  const auto seconds = confirm_seconds(args, io);
  if (!seconds) return io.report(kVerb, seconds.error());
  Status may = os::require_capability(os::Capability::NetAdmin, "a kill switch");
  if (!may) return io.report(kVerb, may.error());
  const auto policy = wanted_policy(args, io);
  if (!policy) return io.report(kVerb, policy.error());
  const Places places = places_of(args);
  const auto locked = lock(places, *policy, *seconds);
  if (!locked) return io.report(kVerb, locked.error());
  // What looked names up caught them. The lock stands: whoever does not want to wait need not.
  os::restore_signals();
  if (Status watched = start_watcher(places); !watched) return io.report(kVerb, watched.error());
  for (const std::string& missing : locked->report.missing) io.err("killswitch on: {}", missing);
  for (const net::Prefix& prefix : policy->manage) {
    io.err("killswitch on: management from {} stays possible", prefix.to_string());
  }
  if (locked->deadline) {
    // Without --confirm it is that of an earlier change, which still waits.
    const auto left = std::chrono::ceil<std::chrono::seconds>(
        std::max(*locked->deadline - os::Clock().mono(), Duration::zero()));
    io.err(
        "killswitch on: confirm within {} s with \"ginnel killswitch confirm\", or the former "
        "state comes back",
        seconds->value_or(static_cast<unsigned>(left.count())));
  }
  return locked->report.is_armed() ? kOk : kFailed;
}

int run_off(const Args& args, Io& io) {
  constexpr std::string_view kVerb = "killswitch off";
  log::start(log::Level::Warn);
  Status may = os::require_capability(os::Capability::NetAdmin, "a kill switch");
  if (!may) return io.report(kVerb, may.error());
  auto kill_switch = KillSwitch::open(places_of(args));
  if (!kill_switch) return io.report(kVerb, kill_switch.error());
  Status changed = gateway::check_not_running(kill_switch->policy(), os::kRunDirectory);
  if (changed) changed = kill_switch->change({});
  if (!changed) return io.report(kVerb, changed.error());
  // A gateway that was killed left its servers in /etc/resolv.conf: without its tunnel, nobody
  // answers there.
  const Status cleared = gateway::take_back_if_dead(os::kRunDirectory);
  return cleared ? kOk : io.report(kVerb, cleared.error());
}

int run_confirm(const Args& args, Io& io) {
  constexpr std::string_view kVerb = "killswitch confirm";
  log::start(log::Level::Warn);
  Status may = os::require_capability(os::Capability::NetAdmin, "a kill switch");
  if (!may) return io.report(kVerb, may.error());
  auto kill_switch = KillSwitch::open(places_of(args));
  if (!kill_switch) return io.report(kVerb, kill_switch.error());
  const Status confirmed = kill_switch->confirm();
  return confirmed ? kOk : io.report(kVerb, confirmed.error());
}

struct SplitView {
  std::string program;
  bool present = false;
  bool has_way = false;
  std::uint64_t sent_packets = 0;
  std::uint64_t sent_bytes = 0;
  std::uint64_t received_packets = 0;
  std::uint64_t received_bytes = 0;
};
BOOST_DESCRIBE_STRUCT(SplitView, (),
                      (program, present, has_way, sent_packets, sent_bytes, received_packets,
                       received_bytes))

struct StatusView {
  int version = 1;
  std::string state;
  bool armed = false;
  std::vector<std::string> missing;
  std::vector<std::string> alarms;
  std::string holder;
  bool owned = false;
  bool guarded = false;
  bool watched = false;
  std::string hash;
  std::vector<std::string> endpoints;
  std::vector<std::string> resolvers;  // Asked in clear at this moment.
  std::vector<std::string> tunnels;
  std::vector<std::string> tunnels_up;
  std::vector<std::string> manage;
  std::vector<std::string> allowed;
  std::vector<SplitView> split;
  bool split_dns = false;
  std::vector<std::string> interfaces;
  std::uint64_t stopped_local = 0;
  std::uint64_t stopped_forwarded = 0;
  std::uint64_t stopped_devices = 0;
  std::uint64_t refused_input = 0;
  std::uint64_t transport = 0;
  http::Nullable<double> confirm_within;
};
BOOST_DESCRIBE_STRUCT(StatusView, (),
                      (version, state, armed, missing, alarms, holder, owned, guarded, watched,
                       hash, endpoints, resolvers, tunnels, tunnels_up, manage, allowed, split,
                       split_dns, interfaces, stopped_local, stopped_forwarded, stopped_devices,
                       refused_input, transport, confirm_within))

template <class T>
std::vector<std::string> texts_of(const std::vector<T>& values) {
  std::vector<std::string> texts;
  for (const T& value : values) texts.push_back(value.to_string());
  return texts;
}

StatusView view_of(const LockReport& report, std::optional<MonoTime> deadline) {
  StatusView view{.state = std::string(name_of(report.policy.state)),
                  .armed = report.is_armed(),
                  .missing = report.missing,
                  .alarms = report.alarms,
                  .holder = report.policy.holder,
                  .owned = report.owned,
                  .guarded = report.guarded,
                  .watched = report.watched,
                  .hash = report.hash,
                  .endpoints = texts_of(report.policy.endpoints),
                  .resolvers = texts_of(report.policy.resolvers),
                  .tunnels = report.policy.tunnels,
                  .tunnels_up = report.tunnels_up,
                  .manage = texts_of(report.policy.manage),
                  .allowed = texts_of(report.policy.allowed),
                  .split_dns = report.policy.split_dns,
                  .stopped_local = report.stopped_local,
                  .stopped_forwarded = report.stopped_forwarded,
                  .stopped_devices = report.stopped_devices,
                  .refused_input = report.refused_input,
                  .transport = report.transport};
  for (const hostnet::LockedDevice& device : report.policy.devices) {
    view.interfaces.push_back(device.name);
  }
  for (const killswitch::SplitTraffic& program : report.split) {
    view.split.push_back({.program = program.name,
                          .present = program.present,
                          .has_way = program.has_way,
                          .sent_packets = program.sent.packets,
                          .sent_bytes = program.sent.bytes,
                          .received_packets = program.received.packets,
                          .received_bytes = program.received.bytes});
  }
  if (deadline) {
    const Duration left = std::max(*deadline - os::Clock().mono(), Duration::zero());
    view.confirm_within = std::chrono::duration<double>(left).count();
  }
  return view;
}

void print(const StatusView& view, Io& io) {
  io.out("kill switch: {}{}\n", view.state,
         view.armed            ? ", armed"
         : view.state == "off" ? ""
                               : ", NOT ARMED");
  for (const std::string& missing : view.missing) io.out("  missing: {}\n", missing);
  for (const std::string& alarm : view.alarms) io.out("  alarm: {}\n", alarm);
  if (view.state == "off") return;
  io.out("  by: {}\n  ruleset: {}\n", view.holder, view.hash);
  io.out("  tables: {}\n", !view.owned    ? "plain, watched"
                           : view.guarded ? "owned, guarded"
                                          : "owned, not guarded");
  const auto list = [&](std::string_view what, const std::vector<std::string>& values) {
    for (const std::string& value : values) io.out("  {}: {}\n", what, value);
  };
  for (const std::string& tunnel : view.tunnels) {
    const bool is_up = std::ranges::find(view.tunnels_up, tunnel) != view.tunnels_up.end();
    io.out("  tunnel: {}{}\n", tunnel, is_up ? "" : " (not up)");
  }
  list("endpoint", view.endpoints);
  list("asked for names in clear", view.resolvers);
  list("management", view.manage);
  list("allowed", view.allowed);
  for (const SplitView& program : view.split) {
    io.out("  beside the tunnel: {}{}: {} bytes sent, {} received\n", program.program,
           !program.present   ? " (does not exist now)"
           : !program.has_way ? " (finds no way while the tunnel is down)"
                              : "",
           program.sent_bytes, program.received_bytes);
  }
  if (view.split_dns) io.out("  beside the tunnel: with DNS\n");
  list("interface", view.interfaces);
  io.out("  kept in: {} local, {} forwarded, {} at devices; refused: {}; transport: {}\n",
         view.stopped_local, view.stopped_forwarded, view.stopped_devices, view.refused_input,
         view.transport);
  if (view.confirm_within.value) {
    io.out("  goes back in {:.0f} s unless confirmed\n", *view.confirm_within.value);
  }
}

int run_status(const Args& args, Io& io) {
  constexpr std::string_view kVerb = "killswitch status";
  log::start(log::Level::Warn);
  const auto cannot_tell = [&](const Error& error) {
    const int code = io.report(kVerb, error);
    return code == kNotPermitted ? code : kCannotTell;
  };
  Status may = os::require_capability(os::Capability::NetAdmin, "to look at a kill switch");
  if (!may) return cannot_tell(may.error());
  auto kill_switch = KillSwitch::open(places_of(args));
  if (!kill_switch) return cannot_tell(kill_switch.error());
  auto report = kill_switch->inspect();
  if (!report) return cannot_tell(report.error());
  report->expect_watcher();
  const auto deadline = kill_switch->confirmation_deadline();
  if (!deadline) return cannot_tell(deadline.error());
  const StatusView view = view_of(*report, *deadline);
  if (args.flag("--json")) {
    io.out("{}\n", http::to_json_text(view));
  } else {
    print(view, io);
  }
  return view.armed ? kOk : kFailed;
}

int run_watch(const Args& args, Io& io) {
  constexpr std::string_view kVerb = "killswitch watch";
  log::start(log::Level::Info);
  Status may = os::require_capability(os::Capability::NetAdmin, "a kill switch");
  if (!may) return io.report(kVerb, may.error());
  const Status watched = killswitch::watch(places_of(args), [] { return ok(); });
  return watched ? kOk : io.report(kVerb, watched.error());
}

constexpr Flag kStateDirectory = {
    .name = "--state-dir",
    .value = "PATH",
    .help = "where it is kept what is meant (default: /var/lib/ginnel/killswitch)",
    .completes = Completes::Folder};
constexpr Argument kOnArguments[] = {
    {.name = "CONF",
     .help = "the tunnel's file INTERFACE.conf, or INTERFACE alone for "
             "/etc/wireguard/INTERFACE.conf; without one, nothing leaves at all",
     .count = Count::Optional,
     .completes = Completes::File}};
constexpr Flag kOnFlags[] = {
    kAllowFlag,
    kLanAccessFlag,
    kSplitUserFlag,
    kSplitCgroupFlag,
    kSplitDnsFlag,
    kManageFlag,
    {.name = "--confirm",
     .value = "SECONDS",
     .help = "go back unless confirmed in time; 0: never, also not from a change before (default: "
             "60 over ssh)"},
    kDnsFlag,
    kRenewLeasesFlag,
    kMarkFlag,
    kPlainTablesFlag,
    kStateDirectory};
constexpr Flag kOffFlags[] = {kStateDirectory};
constexpr Flag kStatusFlags[] = {{.name = "--json", .help = "print JSON"}, kStateDirectory};

constexpr Exit kOnExits[] = {
    {kOk, "locked, and fully armed"},
    {kFailed, "not locked, or not fully: the message says what is missing"},
    {kNotPermitted, "CAP_NET_ADMIN is missing"},
    {kRefused, "the lock is that of a gateway that runs"},
};
constexpr Exit kOffExits[] = {
    {kOk, "nothing is locked"},
    {kFailed, "it could not be unlocked"},
    {kNotPermitted, "CAP_NET_ADMIN is missing"},
    {kRefused, "the lock is that of a gateway that runs"},
};
constexpr Exit kConfirmExits[] = {
    {kOk, "the change stays"},
    {kFailed, "nothing waits to be confirmed"},
    {kNotPermitted, "CAP_NET_ADMIN is missing"},
};
constexpr Exit kStatusExits[] = {
    {kOk, "fully armed"},
    {kFailed, "off, or something is missing"},
    {kNotPermitted, "CAP_NET_ADMIN is missing"},
    {kCannotTell, "it cannot be told"},
};
constexpr Exit kWatchExits[] = {
    {kOk, "it was asked to stop, or the lock is off"},
    {kFailed, "somebody watches already, or the kernel refused"},
    {kNotPermitted, "CAP_NET_ADMIN is missing"},
};

}  // namespace

constinit const Verb kKillSwitchOn{
    .name = "killswitch on",
    .summary = "let nothing leave this host but through the tunnel",
    .arguments = kOnArguments,
    .flags = kOnFlags,
    .exits = kOnExits,
    .example = "sudo ginnel killswitch on wg0 --lan-access",
    .page = kPage,
    .run = &run_on,
};

constinit const Verb kKillSwitchOff{
    .name = "killswitch off",
    .summary = "unlock this host, and put everything back",
    .flags = kOffFlags,
    .exits = kOffExits,
    .example = "sudo ginnel killswitch off",
    .page = kPage,
    .run = &run_off,
};

constinit const Verb kKillSwitchConfirm{
    .name = "killswitch confirm",
    .summary = "keep a change that would go back by itself",
    .flags = kOffFlags,
    .exits = kConfirmExits,
    .example = "sudo ginnel killswitch confirm",
    .page = kPage,
    .run = &run_confirm,
};

constinit const Verb kKillSwitchStatus{
    .name = "killswitch status",
    .summary = "say whether traffic outside the tunnel is kept in",
    .flags = kStatusFlags,
    .exits = kStatusExits,
    .example = "sudo ginnel killswitch status --json",
    .page = kPage,
    .run = &run_status,
};

constinit const Verb kKillSwitchWatch{
    .name = "killswitch watch",
    .summary = "lock as it was left, and keep it so: what ginnel-lock.service runs",
    .flags = kOffFlags,
    .exits = kWatchExits,
    .example = "sudo ginnel killswitch watch",
    .page = kPage,
    .run = &run_watch,
};

}  // namespace ginnel::cli

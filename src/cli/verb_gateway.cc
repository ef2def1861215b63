#include <fmt/ranges.h>

#include "base/log.h"
#include "cli/args.h"
#include "cli/human.h"
#include "cli/io.h"
#include "cli/killswitch_watcher.h"
#include "cli/lock_flags.h"
#include "cli/path_flags.h"
#include "cli/verbs.h"
#include "os/clock.h"
#include "service/gateway/control_client.h"
#include "service/gateway/gateway_process.h"

namespace ginnel::cli {
namespace {

int run_gateway(const Args& args, Io& io) {
  constexpr std::string_view kVerb = "gateway";
  log::start(log::Level::Info);
  if (args.flag("--kill-switch") && args.flag("--no-kill-switch")) {
    return io.report(kVerb, {ErrorCode::InvalidArgument,
                             "--kill-switch and --no-kill-switch contradict each other; keep one"});
  }
  const auto path = path_choice(args);
  if (!path) return io.report(kVerb, path.error());
  gateway::GatewayOptions options{.files = {args.positionals().begin(), args.positionals().end()},
                                  .flags = gateway_lock_flags(args),
                                  .ssh_connection = io.environment("SSH_CONNECTION").value_or(""),
                                  .path = *path,
                                  .on_locked = [] { return start_watcher({}); }};
  options.flags.confirm = text_of(args, "--confirm");
  options.flags.ask_after = text_of(args, "--ask-after");
  options.flags.metrics_listen = text_of(args, "--metrics-listen");
  options.flags.kill_switch = !args.flag("--no-kill-switch");
  options.flags.resolver = !args.flag("--no-resolver");
  if (const auto directory = args.value("--state-dir")) options.state_directory = *directory;
  const Status ended = gateway::run_gateway(options);
  return ended ? kOk : io.report(kVerb, ended.error());
}

std::string address_list(const auto& addresses) {
  std::vector<std::string> texts;
  for (const auto& address : addresses) texts.push_back(address.to_string());
  return fmt::format("{}", fmt::join(texts, ", "));
}

std::string_view text_of(gateway::TunnelState state) {
  switch (state) {
    case gateway::TunnelState::Up:
      return "up";
    case gateway::TunnelState::Idle:
      return "idle";
    case gateway::TunnelState::Failed:
      return "does not answer";
  }
  return "idle";
}

void print(const gateway::TunnelView& tunnel, UnixTime now, Io& io) {
  const auto& handshake = tunnel.last_handshake.value;
  io.out("tunnel {}: {}{}, last handshake {}\n", tunnel.interface, text_of(tunnel.state),
         tunnel.active ? ", carries the traffic" : "",
         handshake ? human_age(*handshake, now) : "never");
  const auto& endpoint = tunnel.endpoint.value;
  io.out("  peer: {} at {}{}\n", tunnel.peer.to_base64(),
         endpoint ? endpoint->to_string() : "no known place",
         tunnel.name.value ? fmt::format(" ({})", *tunnel.name.value) : "");
  io.out("  addresses: {}; DNS: {}\n", address_list(tunnel.addresses),
         tunnel.dns.empty() ? "none" : address_list(tunnel.dns));
  io.out("  received: {}, sent: {}; failures: {}\n", human_bytes(tunnel.rx_bytes),
         human_bytes(tunnel.tx_bytes), tunnel.failures);
}

void print_lock(const gateway::GatewayView& view, Io& io) {
  if (!view.kill_switch) {
    io.out("kill switch: refused; without a tunnel, packets leave in clear\n");
  } else if (!view.lock.value) {
    io.out("kill switch: cannot be told\n");
  } else {
    io.out("kill switch: {}, {}\n", view.lock.value->state,
           view.lock.value->armed ? "armed" : "NOT ARMED");
    for (const std::string& missing : view.lock.value->missing) {
      io.out("  missing: {}\n", missing);
    }
  }
}

void print(const gateway::GatewayView& view, Io& io) {
  io.out("state: {}\n",
         view.state == gateway::GatewayState::Connected ? "connected" : "connecting");
  for (const gateway::Finding& finding : view.findings) {
    io.out("  {}\n", finding.message);
    if (!finding.fix.empty()) io.out("    fix: {}\n", finding.fix);
  }
  print_lock(view, io);
  io.out("LAN: {}\n", fmt::join(view.lan, ", "));
  if (!view.manage.empty()) io.out("management: {}\n", address_list(view.manage));
  const UnixTime now = os::Clock().now().unix;
  for (const gateway::TunnelView& tunnel : view.tunnels) print(tunnel, now, io);
  const auto count = [&](const char* name) {
    const auto found = view.dns.find(name);
    return found == view.dns.end() ? 0 : found->second;
  };
  if (const std::uint64_t asked = count("queries")) {
    const std::uint64_t cached = count("answered_from_cache");
    io.out("names: {} questions, {} answered from the cache ({} %), {} failed\n", asked, cached,
           100 * cached / asked, count("failures"));
  }
  io.out("failovers: {}, reloads: {}\n", view.failovers, view.reloads);
  io.out("up: {} (process {})\n", human_duration(view.uptime), view.process);
}

int run_status(const Args& args, Io& io) {
  const auto view = gateway::ControlClient(os::kRunDirectory).status();
  if (!view) return io.report("gateway status", view.error());
  if (args.flag("--json")) {
    io.out("{}\n", http::to_json_text(*view));
  } else {
    print(*view, io);
  }
  return view->is_well() ? kOk : kFailed;
}

int run_reload(const Args& args, Io& io) {
  const auto change = gateway::ControlClient(os::kRunDirectory).reload();
  if (!change) return io.report("gateway reload", change.error());
  if (args.flag("--json")) {
    io.out("{}\n", http::to_json_text(*change));
    return kOk;
  }
  if (change->tunnels.empty()) io.out("nothing had changed\n");
  for (const auto& [tunnel, keys] : change->tunnels) {
    io.out("{} changed: {}\n", tunnel, fmt::join(keys, ", "));
  }
  for (const std::string& warning : change->warnings) io.err("gateway reload: {}", warning);
  return kOk;
}

constexpr Argument kArguments[] = {
    {.name = "CONF",
     .help = "a file INTERFACE.conf, or INTERFACE alone for /etc/wireguard/INTERFACE.conf; the "
             "first is preferred, the others stand by",
     .count = Count::OneOrMore,
     .completes = Completes::File}};

constexpr Flag kFlags[] = {
    kLanFlag,
    kLocalFlag,
    kManageFlag,
    {.name = "--confirm",
     .value = "SECONDS",
     .help = "unlock again unless \"killswitch confirm\" is run in time; 0: do not ask (default: "
             "60 over SSH)"},
    {.name = "--ask-after",
     .value = "SECONDS",
     .help = "when no tunnel has answered for this long, ask for their names in clear, once; 0: "
             "never (default: 135)"},
    {.name = "--kill-switch", .help = "nothing leaves but through the tunnel (the default)"},
    {.name = "--no-kill-switch", .help = "route only: without the tunnel, packets leave in clear"},
    kBlockIpv6Flag,
    kDnsFlag,
    kKnownLeasesFlag,
    {.name = "--no-resolver",
     .help = "answer no questions for names from the LAN; another program does"},
    kMaskedMarkFlag,
    kTableFlag,
    kPrioritiesFlag,
    {.name = "--metrics-listen",
     .value = "ADDRESS:PORT",
     .help = "tell /metrics here too, on loopback (default: on the control socket only)"},
    kEndpointsFlag,
};
constexpr auto kAllFlags = with_rare_path_flags(kFlags);

constexpr Exit kExits[] = {
    {kOk, "ended as asked; with a kill switch everything stays blocked"},
    {kFailed, "failed; the line says why"},
    {kNotPermitted, "CAP_NET_ADMIN is missing"},
    {kTimedOut, "nobody confirmed the lock, so it was taken back"},
    {kRefused, "an interface, a subnet or the lock is another's; nothing was changed"},
};

constexpr Flag kRunningFlags[] = {{.name = "--json", .help = "print one JSON document"}};
constexpr Exit kStatusExits[] = {
    {kOk, "connected, and locked as it should be"},
    {kFailed, "no tunnel answers, or the kill switch is not armed"},
    {kNotPermitted, "its control socket is not for you"},
    {kNoConnection, "no gateway runs"},
};
constexpr Exit kReloadExits[] = {
    {kOk, "the gateway works by its files"},
    {kFailed, "nothing was changed; the line says why"},
    {kNotPermitted, "its control socket is not for you"},
    {kNoConnection, "no gateway runs, or a name cannot be looked up"},
    {kRefused, "a file stands for another interface, or has an address of the LAN"},
};

}  // namespace

constinit const Verb kGateway{
    .name = "gateway",
    .summary = "send everything behind the LAN interfaces through a tunnel, or nowhere",
    .arguments = kArguments,
    .flags = kAllFlags,
    .exits = kExits,
    .example = "sudo ginnel gateway ./provider.conf --lan eth1",
    .page = "docs/gateway.md",
    .run = &run_gateway,
};

constinit const Verb kGatewayStatus{
    .name = "gateway status",
    .summary = "say how the running gateway is",
    .flags = kRunningFlags,
    .exits = kStatusExits,
    .example = "sudo ginnel gateway status --json",
    .page = "docs/gateway.md",
    .run = &run_status,
};

constinit const Verb kGatewayReload{
    .name = "gateway reload",
    .summary = "make the running gateway read its files again, without dropping a session",
    .flags = kRunningFlags,
    .exits = kReloadExits,
    .example = "sudo ginnel gateway reload",
    .page = "docs/gateway.md",
    .run = &run_reload,
};

}  // namespace ginnel::cli

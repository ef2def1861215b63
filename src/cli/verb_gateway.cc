#include "base/log.h"
#include "cli/args.h"
#include "cli/io.h"
#include "cli/killswitch_watcher.h"
#include "cli/verbs.h"
#include "service/gateway/gateway_process.h"

namespace ginnel::cli {
namespace {

std::vector<std::string> list_of(const Args& args, std::string_view flag) {
  return {args.values(flag).begin(), args.values(flag).end()};
}

std::optional<std::string> text_of(const Args& args, std::string_view flag) {
  const auto value = args.value(flag);
  return value ? std::optional<std::string>(*value) : std::nullopt;
}

int run_gateway(const Args& args, Io& io) {
  constexpr std::string_view kVerb = "gateway";
  log::start(log::Level::Info);
  if (args.flag("--kill-switch") && args.flag("--no-kill-switch")) {
    return io.report(kVerb, {ErrorCode::InvalidArgument,
                             "--kill-switch and --no-kill-switch contradict each other; keep one"});
  }
  gateway::GatewayOptions options{.files = {args.positionals().begin(), args.positionals().end()},
                                  .flags = {.lan = list_of(args, "--lan"),
                                            .local = list_of(args, "--local"),
                                            .manage = list_of(args, "--manage"),
                                            .dns = list_of(args, "--dns"),
                                            .fwmark = text_of(args, "--fwmark"),
                                            .table = text_of(args, "--table"),
                                            .priorities = text_of(args, "--rule-priorities"),
                                            .confirm = text_of(args, "--confirm"),
                                            .block_ipv6 = args.flag("--block-ipv6"),
                                            .kill_switch = !args.flag("--no-kill-switch"),
                                            .resolver = !args.flag("--no-resolver")},
                                  .ssh_connection = io.environment("SSH_CONNECTION").value_or(""),
                                  .on_locked = [] { return start_watcher({}); }};
  if (const auto directory = args.value("--state-dir")) options.state_directory = *directory;
  const Status ended = gateway::run_gateway(options);
  return ended ? kOk : io.report(kVerb, ended.error());
}

constexpr Argument kArguments[] = {
    {.name = "CONF",
     .help = "a file INTERFACE.conf, or INTERFACE alone for /etc/wireguard/INTERFACE.conf; the "
             "first is preferred, the others stand by",
     .count = Count::OneOrMore,
     .completes = Completes::File}};

constexpr Flag kFlags[] = {
    {.name = "--lan",
     .value = "IFACE",
     .help = "the interface behind which the LAN is; a bridge counts with its ports",
     .repeatable = true,
     .completes = Completes::Interface},
    {.name = "--local",
     .value = "PREFIX",
     .help = "reach this directly, besides the LAN's own subnets",
     .repeatable = true},
    {.name = "--manage",
     .value = "PREFIX",
     .help = "who may come in from outside (default: who started this by SSH, if on-link)",
     .repeatable = true},
    {.name = "--confirm",
     .value = "SECONDS",
     .help = "unlock again unless \"killswitch confirm\" is run in time; 0: do not ask (default: "
             "60 over SSH)"},
    {.name = "--kill-switch", .help = "nothing leaves but through the tunnel (the default)"},
    {.name = "--no-kill-switch", .help = "route only: without the tunnel, packets leave in clear"},
    {.name = "--block-ipv6", .help = "no IPv6 even if the tunnel carries it"},
    {.name = "--dns",
     .value = "ADDRESS",
     .help = "the server inside the tunnel to ask, instead of the file's",
     .repeatable = true},
    {.name = "--no-resolver",
     .help = "answer no questions for names from the LAN; another program does"},
    {.name = "--fwmark",
     .value = "MARK[/MASK]",
     .help = "what marks the tunnel's own datagrams (0x8888/0xffff)"},
    {.name = "--table", .value = "NUMBER", .help = "the tunnel's routing table (1000)"},
    {.name = "--rule-priorities",
     .value = "LOCAL,TUNNEL,REFUSE",
     .help = "of the policy rules (5,10,11)"},
    {.name = "--state-dir",
     .value = "DIR",
     .help = "where addresses of endpoints are kept (/var/lib/ginnel/gateway)",
     .completes = Completes::Folder},
};

constexpr Exit kExits[] = {
    {kOk, "ended as asked; with a kill switch everything stays blocked"},
    {kFailed, "failed; the line says why"},
    {kNotPermitted, "CAP_NET_ADMIN is missing"},
    {kTimedOut, "nobody confirmed the lock, so it was taken back"},
    {kRefused, "an interface, a subnet or the lock is another's; nothing was changed"},
};

}  // namespace

constinit const Verb kGateway{
    .name = "gateway",
    .summary = "send everything behind the LAN interfaces through a tunnel, or nowhere",
    .arguments = kArguments,
    .flags = kFlags,
    .exits = kExits,
    .example = "sudo ginnel gateway ./provider.conf --lan eth1",
    .page = "docs/gateway.md",
    .run = &run_gateway,
};

}  // namespace ginnel::cli

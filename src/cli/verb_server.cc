#include <fmt/ranges.h>

#include "base/log.h"
#include "cli/args.h"
#include "cli/human.h"
#include "cli/io.h"
#include "cli/path_flags.h"
#include "cli/server_place.h"
#include "cli/server_terminal.h"
#include "cli/verbs.h"
#include "service/server/control_client.h"
#include "service/server/server_process.h"

namespace ginnel::cli {
namespace {

constexpr std::string_view kNotRunning = "no server runs here; start it with \"ginnel server\"";

Result<config::ServerFlags> server_flags(const Args& args) {
  config::ServerFlags flags;
  const std::pair<std::string_view, std::optional<std::string>*> texts[] = {
      {"--private-key-file", &flags.private_key_file},
      {"--private-key", &flags.private_key},
      {"--listen", &flags.listen},
      {"--subnet", &flags.subnet},
      {"--subnet6", &flags.subnet6},
      {"--server-ip", &flags.server_ip},
      {"--subnet-mask", &flags.subnet_mask},
      {"--interface", &flags.interface},
      {"--outbound-interface", &flags.outbound_interface},
      {"--endpoint", &flags.endpoint},
      {"--mtu", &flags.mtu},
      {"--metrics-listen", &flags.metrics_listen},
  };
  for (const auto& [name, field] : texts) {
    if (const auto value = args.value(name)) *field = std::string(*value);
  }
  if (args.flag("--open-firewall")) flags.open_firewall = true;
  if (args.flag("--client-to-client") && args.flag("--no-client-to-client")) {
    return fail(ErrorCode::InvalidArgument,
                "--client-to-client and --no-client-to-client contradict each other; keep one");
  }
  if (args.flag("--client-to-client")) flags.client_to_client = true;
  if (args.flag("--no-client-to-client")) flags.client_to_client = false;
  const auto copy = [&](std::string_view name, std::vector<std::string>& list) {
    list.assign(args.values(name).begin(), args.values(name).end());
  };
  copy("--dns", flags.dns);
  copy("--peer", flags.peers);
  copy("--peer-ip", flags.peer_ips);
  return flags;
}

Result<log::Level> log_level(const Args& args, log::Level otherwise) {
  const auto name = args.value("--log-level");
  if (!name) return otherwise;
  if (name == "error") return log::Level::Error;
  if (name == "warn") return log::Level::Warn;
  if (name == "info") return log::Level::Info;
  if (name == "debug") return log::Level::Debug;
  return fail(ErrorCode::InvalidArgument,
              fmt::format("--log-level: \"{}\" is not one of error, warn, info, debug", *name));
}

int run_server(const Args& args, Io& io) {
  auto paths = server_paths(args, io);
  if (!paths) return io.report("server", paths.error());
  auto flags = server_flags(args);
  if (!flags) return io.report("server", flags.error());
  const auto path = path_choice(args);
  if (!path) return io.report("server", path.error());
  const TerminalTraits traits = terminal_traits(io);
  // The live line says what a person wants to know; log lines would only push it down.
  const auto level = log_level(args, traits.shows_progress ? log::Level::Warn : log::Level::Info);
  if (!level) return io.report("server", level.error());
  log::start(*level);
  ServerTerminal terminal(io, traits);
  const Status ended = server::run_server({.paths = std::move(*paths),
                                           .flags = std::move(*flags),
                                           .metrics_per_peer = args.flag("--metrics-per-peer"),
                                           .path = *path},
                                          terminal);
  return ended ? kOk : io.report("server", ended.error());
}

Result<std::unique_ptr<server::ControlClient>> running_server(const Args& args, const Io& io) {
  const auto paths = server_paths(args, io);
  if (!paths) return std::unexpected(paths.error());
  std::optional<std::string> interface;
  if (const auto value = args.value("--interface")) interface = *value;
  auto client = server::ControlClient::find(*paths, interface);
  if (client && !*client) return fail(ErrorCode::Unavailable, std::string(kNotRunning));
  return client;
}

int run_reload(const Args& args, Io& io) {
  const auto client = running_server(args, io);
  if (!client) return io.report("server reload", client.error());
  const auto change = (*client)->reload();
  if (!change) return io.report("server reload", change.error());
  if (args.flag("--json")) {
    io.out("{}\n", http::to_json_text(*change));
    return kOk;
  }
  if (change->is_empty()) {
    io.out("nothing had changed\n");
  } else {
    io.out("peers added: {}, changed: {}, removed: {}\n", change->added, change->changed,
           change->removed);
    if (!change->settings.empty()) {
      io.out("settings changed: {}\n", fmt::join(change->settings, ", "));
    }
  }
  for (const std::string& warning : change->warnings) io.err("server reload: {}", warning);
  return kOk;
}

void print_status(const server::ServerView& view, Io& io) {
  const auto joined = [](const auto& values) {
    std::vector<std::string> texts;
    for (const auto& value : values) texts.push_back(value.to_string());
    return fmt::format("{}", fmt::join(texts, ", "));
  };
  io.out("state: {}\n", state_text(view.state));
  for (const server::Finding& finding : view.findings) {
    io.out("  {}\n", finding.message);
    if (!finding.fix.empty()) io.out("    fix: {}\n", finding.fix);
  }
  io.out("interface: {}\n", view.interface);
  io.out("public key: {}\n", view.public_key.to_base64());
  const auto& address = view.listen_address.value;
  io.out("listening: UDP port {} of {}\n", view.listen_port,
         address ? address->to_string() : "every address");
  io.out("endpoint for clients: {}\n", view.endpoint.value.value_or("unknown"));
  io.out("addresses: {} in {}\n", joined(view.addresses), joined(view.subnets));
  io.out("uplink: {} (IPv4), {} (IPv6)\n", view.uplink_ipv4.value.value_or("none"),
         view.uplink_ipv6.value.value_or("none"));
  io.out("client to client: {}\n", view.client_to_client ? "yes" : "no");
  io.out("peers: {}, enabled: {}, active: {}\n", view.peers, view.peers_enabled, view.peers_active);
  io.out("received: {} ({}), sent: {} ({})\n", human_bytes(view.rx_bytes),
         human_rate(view.rx_bytes_per_second), human_bytes(view.tx_bytes),
         human_rate(view.tx_bytes_per_second));
  io.out("up: {} (process {})\n", human_duration(view.uptime), view.process);
}

int run_status(const Args& args, Io& io) {
  const auto client = running_server(args, io);
  if (!client) return io.report("server status", client.error());
  const auto view = (*client)->server();
  if (!view) return io.report("server status", view.error());
  if (args.flag("--json")) {
    io.out("{}\n", http::to_json_text(*view));
  } else {
    print_status(*view, io);
  }
  return view->state == server::ServerState::Online ? kOk : kFailed;
}

constexpr Flag kServerFlags[] = {
    kStateDirFlag,
    kServerConfigFlag,
    {.name = "--private-key-file",
     .value = "FILE",
     .help = "the server's private key (default: made and kept in the state)",
     .completes = Completes::File},
    {.name = "--private-key",
     .value = "KEY",
     .help = "the key itself; it shows in the list of processes, so prefer the file",
     .secret = true},
    {.name = "--listen",
     .value = "ADDRESS:PORT",
     .help = "0.0.0.0:PORT is every address of both families (0.0.0.0:51820)"},
    {.name = "--subnet", .value = "CIDR", .help = "the clients' IPv4 addresses (10.200.100.0/24)"},
    {.name = "--subnet6",
     .value = "CIDR",
     .help = "their IPv6 addresses, or \"none\" (default: a ULA /64 chosen once)"},
    {.name = "--server-ip", .value = "ADDRESS", .help = "the server's own address in the subnet"},
    {.name = "--subnet-mask", .value = "BITS", .help = "with --server-ip, instead of --subnet"},
    {.name = "--interface",
     .value = "IFACE",
     .help = "the interface to make (default: the first free wgN)"},
    {.name = "--outbound-interface",
     .value = "IFACE",
     .help = "where clients go out, whatever the routes say (default: follows them)",
     .completes = Completes::Interface},
    {.name = "--endpoint",
     .value = "HOST[:PORT]",
     .help = "where clients find the server (default: the uplink's address)"},
    {.name = "--mtu", .value = "BYTES", .help = "the tunnel's MTU (1420)"},
    {.name = "--dns",
     .value = "ADDRESS|builtin",
     .help = "a resolver for clients, or the server itself (default: the host's)",
     .repeatable = true},
    {.name = "--peer",
     .value = "KEY[,CIDR]",
     .help = "a client, by its public key",
     .repeatable = true},
    {.name = "--peer-ip",
     .value = "CIDR",
     .help = "the address of the --peer before it",
     .repeatable = true},
    {.name = "--client-to-client", .help = "clients may reach each other"},
    {.name = "--no-client-to-client", .help = "clients may not reach each other (the default)"},
    {.name = "--open-firewall",
     .help = "where another firewall drops the traffic, add one rule there; removed at the end"},
    {.name = "--metrics-listen",
     .value = "ADDRESS:PORT",
     .help = "where /metrics is, or \"none\" (127.0.0.1:9586)"},
    {.name = "--metrics-per-peer", .help = "let /metrics tell peers' names, keys and traffic"},
    {.name = "--log-level",
     .value = "LEVEL",
     .help = "what is logged to standard error (info; warn at a terminal)",
     .words = "error warn info debug"},
};
constexpr auto kAllServerFlags = with_rare_path_flags(kServerFlags);
constexpr Exit kServerExits[] = {
    {kOk, "ended as asked, and left nothing behind"},
    {kFailed, "failed; the line says why"},
    {kNotPermitted, "CAP_NET_ADMIN is missing"},
    {kRefused, "the port, interface, subnet or state is another's; nothing was changed"},
};

constexpr Flag kJson{.name = "--json", .help = "print one JSON document"};
constexpr Flag kRunningFlags[] = {kStateDirFlag, kServerConfigFlag, kWhichServerFlag, kJson};
constexpr Exit kReloadExits[] = {
    {kOk, "the running server works by its files"},
    {kFailed, "nothing was changed; the line says why"},
    {kNotPermitted, "its control socket is not for you"},
    {kNoConnection, "no server runs"},
    {kRefused, "it would change what needs a restart"},
};
constexpr Exit kStatusExits[] = {
    {kOk, "online"},
    {kFailed, "running, but blocked by a firewall or without a way out"},
    {kNotPermitted, "its control socket is not for you"},
    {kNoConnection, "no server runs"},
};

}  // namespace

constinit const Verb kServer{
    .name = "server",
    .summary = "run a VPN server, which makes its keys and first client by itself",
    .flags = kAllServerFlags,
    .exits = kServerExits,
    .example = "sudo ginnel server --endpoint vpn.example.org",
    .page = "docs/server.md",
    .run = &run_server,
};

constinit const Verb kServerReload{
    .name = "server reload",
    .summary = "make the running server read its files again, without dropping a session",
    .flags = kRunningFlags,
    .exits = kReloadExits,
    .example = "sudo ginnel server reload",
    .page = "docs/server.md",
    .run = &run_reload,
};

constinit const Verb kServerStatus{
    .name = "server status",
    .summary = "say how the running server is",
    .flags = kRunningFlags,
    .exits = kStatusExits,
    .example = "sudo ginnel server status --json",
    .page = "docs/server.md",
    .run = &run_status,
};

}  // namespace ginnel::cli

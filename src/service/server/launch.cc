#include "service/server/launch.h"

#include <fmt/format.h>

#include "base/log.h"
#include "core/server/host_fit.h"
#include "os/capability.h"
#include "os/rtnetlink.h"
#include "os/udp_pair.h"
#include "service/server/control_client.h"
#include "service/server/peer_edits.h"
#include "service/server/server_state.h"
#include "service/server/started_flags.h"

namespace ginnel::server {
namespace {

constexpr std::string_view kFirstClient = "first";
constexpr std::string_view kInterfaceStem = "wg";

Result<os::FileLock> take_lock(const ServerPaths& paths) {
  auto lock = os::FileLock::take(paths.lock_file());
  if (lock || lock.error().code != ErrorCode::AlreadyExists) return lock;
  return fail(ErrorCode::AlreadyExists,
              fmt::format("{}; or give this server a state of its own with --state-dir",
                          lock.error().message));
}

// The subnet that was chosen for this state, else a new one.
Result<net::Prefix> find_subnet6(const ServerPaths& paths, Rng& rng) {
  const net::Prefix proposed = propose_subnet6(paths, rng);
  if (!os::file_exists(paths.database())) return proposed;
  auto database = open_database(paths);
  if (!database) return pass(std::move(database));
  return keep_subnet6(**database, proposed);
}

std::unexpected<Error> name_owner(ServerPaths paths, const hostnet::Link& link) {
  const std::string& interface = link.name;
  paths.run_directory = paths.public_run_directory;  // Where the servers of every state are known.
  const auto client = ControlClient::find(paths, interface);
  if (client && *client) {
    if (const auto server = (*client)->server()) {
      return fail(ErrorCode::AlreadyExists,
                  fmt::format("interface {} belongs to the ginnel server of process {}; stop that, "
                              "or choose another with --interface",
                              interface, server->process));
    }
  }
  if (link.kind == "tun" || link.kind == "wireguard") {
    return fail(ErrorCode::AlreadyExists,
                fmt::format("interface {} exists already; choose another with --interface, or take "
                            "it down (\"ginnel down {}\", \"ip link delete {}\")",
                            interface, interface, interface));
  }
  return fail(ErrorCode::AlreadyExists,
              fmt::format("interface {} exists already: --interface names the one that the server "
                          "makes; the way out is --outbound-interface",
                          interface));
}

Result<std::string> choose_interface(const ServerPaths& paths, const config::ServerConfig& config,
                                     const hostnet::HostState& host) {
  if (!config.interface) return hostnet::first_free_name(host.links, kInterfaceStem);
  if (const hostnet::Link* link = host.find_link(*config.interface)) {
    return name_owner(paths, *link);
  }
  return *config.interface;
}

// The sockets are closed again at once: they only show that the port is free.
Status check_port(const config::ListenAddress& listen) {
  const auto sockets = os::UdpPair::bind({.address = listen.address, .port = listen.port});
  if (sockets) return ok();
  return fail(sockets.error().code,
              fmt::format("{}; or choose another port with --listen", sockets.error().message));
}

void warn_of_exposure(const ServerKey& key, const config::ServerFlags& flags) {
  if (flags.private_key) {
    log::warn("--private-key shows in the list of processes; --private-key-file does not");
  }
  if (key.file.empty()) return;
  const std::string warning = os::exposure_warning(key.file);
  if (!warning.empty()) log::warn("{}", warning);
}

// Returns its name.
Result<std::string> make_first_client(CheckedLaunch& launch, Rng& rng, UnixTime now) {
  NewPeer peer;
  peer.name = kFirstClient;
  const auto edit = PeerEdits(launch.source.paths, launch.config).add(std::move(peer), rng, now);
  if (!edit) return std::unexpected(edit.error());
  auto config = load_server_config(launch.source, &*edit);
  if (!config) return pass(std::move(config));
  if (Status written = apply(*edit); !written) return pass(std::move(written));
  launch.config = std::move(*config);
  return std::string(kFirstClient);
}

}  // namespace

Result<CheckedLaunch> check_launch(const ServerOptions& options, Rng& rng) {
  if (Status may = os::require_capability(os::Capability::NetAdmin, "a VPN server"); !may) {
    return pass(std::move(may));
  }
  CheckedLaunch launch;
  launch.source = {.paths = options.paths, .flags = options.flags};
  auto subnet6 = find_subnet6(options.paths, rng);
  if (!subnet6) return pass(std::move(subnet6));
  launch.source.generated_subnet6 = *subnet6;
  auto config = load_server_config(launch.source);
  if (!config) return pass(std::move(config));
  launch.config = std::move(*config);
  auto key = load_server_key(options.paths, launch.config, rng);
  if (!key) return pass(std::move(key));
  launch.key = std::move(*key);
  if (Status good = config::check_own_key(launch.config, launch.key.key.public_key()); !good) {
    return pass(std::move(good));
  }
  if (os::file_exists(options.paths.lock_file())) {
    auto lock = take_lock(options.paths);
    if (!lock) return pass(std::move(lock));
    launch.lock = std::move(*lock);
  }
  auto rtnetlink = os::Rtnetlink::open();
  if (!rtnetlink) return pass(std::move(rtnetlink));
  const auto host = rtnetlink->read();
  if (!host) return std::unexpected(host.error());
  auto interface = choose_interface(options.paths, launch.config, *host);
  if (!interface) return pass(std::move(interface));
  launch.interface = std::move(*interface);
  if (Status free = check_port(launch.config.listen); !free) return pass(std::move(free));
  if (Status free = check_subnets_are_free(launch.config.subnets, *host, launch.interface); !free) {
    return pass(std::move(free));
  }
  warn_of_exposure(launch.key, options.flags);
  return launch;
}

Result<PreparedState> prepare_state(CheckedLaunch& launch, Rng& rng, UnixTime now) {
  const ServerPaths& paths = launch.source.paths;
  if (Status made = os::make_directories(paths.state_directory, 0700); !made) {
    return pass(std::move(made));
  }
  if (!launch.lock) {
    auto lock = take_lock(paths);
    if (!lock) return pass(std::move(lock));
    launch.lock = std::move(*lock);
  }
  auto database = open_database(paths);
  if (!database) return pass(std::move(database));
  auto subnet6 = keep_subnet6(**database, launch.source.generated_subnet6);
  if (!subnet6) return pass(std::move(subnet6));
  launch.source.generated_subnet6 = *subnet6;
  if (Status saved = save_server_key(launch.key); !saved) return pass(std::move(saved));
  if (launch.key.is_new && !launch.config.peers.empty()) {
    log::warn(
        "there was no key in {}, so a new one was made: clients that had the former one's "
        "file need theirs again (\"ginnel peer config NAME\")",
        launch.key.file);
  }
  StartedFlags started{.flags = launch.source.flags};
  if (launch.key.file.empty()) started.public_key = launch.key.key.public_key();
  if (Status saved = save_started_flags(paths, started); !saved) return pass(std::move(saved));
  std::string first_client;
  if (launch.config.peers.empty()) {
    auto name = make_first_client(launch, rng, now);
    if (!name) return pass(std::move(name));
    first_client = std::move(*name);
  }
  return PreparedState{std::move(*launch.lock), std::move(*database), std::move(first_client)};
}

}  // namespace ginnel::server

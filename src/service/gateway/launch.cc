#include "service/gateway/launch.h"

#include <fmt/format.h>

#include "base/log.h"
#include "core/gateway/gateway_change.h"
#include "core/gateway/management.h"
#include "os/capability.h"
#include "os/file.h"
#include "os/rtnetlink.h"
#include "os/sysctl_claims.h"
#include "os/tun_holder.h"
#include "service/gateway/gateway_record.h"
#include "service/quick/source.h"

namespace ginnel::gateway {
namespace {

constexpr std::uint32_t kConfirmSeconds = 60;

Result<GatewayConfig> read_config(const GatewayOptions& options) {
  std::vector<GatewayFile> files;
  std::vector<std::string> warnings;
  for (const std::string& name : options.files) {
    auto source = quick::read_source(name);
    if (!source) return pass(std::move(source));
    warnings.insert(warnings.end(), source->warnings.begin(), source->warnings.end());
    files.push_back({source->path, source->interface, std::move(source->file)});
  }
  auto config = make_gateway_config(std::move(files), options.flags);
  if (config) {
    config->warnings.insert(config->warnings.begin(), warnings.begin(), warnings.end());
  }
  return config;
}

Status check_names(const GatewayConfig& config, const hostnet::HostState& host) {
  for (const GatewayTunnel& tunnel : config.tunnels) {
    const hostnet::Link* link = host.find_link(tunnel.interface);
    if (!link) continue;
    const bool is_tun = link->kind == "tun";
    if (is_tun && os::await_end_of_tun(link->name)) continue;
    return fail(
        ErrorCode::AlreadyExists,
        fmt::format("{}: interface {} exists{}; take it down first (\"ginnel down {}\"), or "
                    "give the file another name",
                    tunnel.path, tunnel.interface,
                    is_tun ? ", and " + os::describe_tun_holder(link->name) : "", tunnel.path));
  }
  return ok();
}

// The same files a second time: that a gateway runs says more than that its interface exists.
Status check_is_alone(const std::string& run_directory) {
  const std::string path = gateway_lock_path(os::SysctlClaims::directory_in(run_directory));
  if (!os::file_exists(path)) return ok();
  const auto alone = os::FileLock::take(path);
  return alone ? ok() : Status(std::unexpected(alone.error()));
}

// Whoever works on this host by SSH is to go on doing so.
void admit_owner(const GatewayOptions& options, const hostnet::HostState& host,
                 CheckedLaunch& launch) {
  launch.manage = launch.config.manage;
  if (!launch.config.kill_switch) return;
  const auto peer = ssh_peer(options.ssh_connection);
  launch.confirm_seconds = launch.config.confirm_seconds.value_or(peer ? kConfirmSeconds : 0);
  if (!peer || !launch.manage.empty()) return;
  if (is_on_link(host, *peer, launch.config.tunnel_names())) {
    launch.manage.push_back(net::Prefix::host(*peer));
    log::info("management: {} may come in, because this was started from there by SSH",
              launch.manage.front().to_string());
    return;
  }
  log::warn(
      "management: {}, from where this was started by SSH, is on no network of this host and "
      "is shut out; --manage {} lets it in",
      peer->to_string(), peer->to_string());
}

}  // namespace

Result<CheckedLaunch> check_launch(const GatewayOptions& options) {
  CheckedLaunch launch;
  auto config = read_config(options);
  if (!config) return pass(std::move(config));
  launch.config = std::move(*config);
  if (Status may = os::require_capability(os::Capability::NetAdmin, "a gateway"); !may) {
    return pass(std::move(may));
  }
  if (Status alone = check_is_alone(options.run_directory); !alone) return pass(std::move(alone));
  auto rtnetlink = os::Rtnetlink::open();
  if (!rtnetlink) return pass(std::move(rtnetlink));
  const auto host = rtnetlink->read();
  if (!host) return std::unexpected(host.error());
  if (Status good = check_names(launch.config, *host); !good) return pass(std::move(good));
  if (Status good = check_fit(launch.config, *host); !good) return pass(std::move(good));
  for (const std::string& warning : launch.config.warnings) log::warn("{}", warning);
  admit_owner(options, *host, launch);
  return launch;
}

Result<GatewayConfig> read_again(const GatewayOptions& options, const GatewayConfig& present,
                                 const hostnet::HostState& host) {
  auto next = read_config(options);
  if (!next) return next;
  if (Status same = check_same_tunnels(present, *next); !same) return pass(std::move(same));
  if (Status good = check_fit(*next, host); !good) return pass(std::move(good));
  return next;
}

}  // namespace ginnel::gateway

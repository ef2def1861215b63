#include "service/killswitch/request.h"

#include <fmt/format.h>

#include "base/text.h"
#include "core/gateway/management.h"
#include "core/hostnet/lock_alarm.h"
#include "core/hostnet/quick_network.h"
#include "service/quick/source.h"

namespace ginnel::killswitch {
namespace {

using hostnet::LockPolicy;

// While it is brought up a name may have to be tried again; here somebody waits at a terminal.
constexpr unsigned kLookupRetries = 3;

template <class T>
Status read_list(std::string_view flag, const std::vector<std::string>& texts,
                 std::vector<T>& into) {
  for (const std::string& text : texts) {
    auto parsed = T::parse(text);
    if (!parsed) {
      return fail(parsed.error().code, fmt::format("{}: {}", flag, parsed.error().message));
    }
    into.push_back(std::move(*parsed));
  }
  return ok();
}

// Everything would be allowed by it.
Status check_allowed(const std::vector<net::Prefix>& allowed) {
  for (const net::Prefix& prefix : allowed) {
    if (prefix.length() != 0) continue;
    return fail(ErrorCode::InvalidArgument,
                fmt::format("--allow: {} is everything there is; name a smaller prefix",
                            prefix.to_string()));
  }
  return ok();
}

Result<std::uint32_t> read_mark(const std::string& text) {
  const bool is_number = !text.empty() && text.front() >= '0' && text.front() <= '9';
  const auto mark = is_number ? hostnet::find_table(text, "") : std::nullopt;
  if (mark && *mark != 0) return *mark;
  return fail(ErrorCode::InvalidArgument,
              fmt::format("--fwmark: \"{}\" is no mark; write a number such as 0x8888", text));
}

std::uint32_t mark_of(const quick::Source& source, const hostnet::HostState& host) {
  if (source.file.fwmark && *source.file.fwmark != 0) return *source.file.fwmark;
  if (const auto mark = mark_on_host(host, source.interface)) return *mark;
  std::vector<net::Prefix> routed;
  for (const config::QuickPeer& peer : source.file.peers) {
    for (const wg::AllowedIpChange& change : peer.allowed_ips) routed.push_back(change.prefix);
  }
  const bool takes_all = hostnet::takes_everything(routed, net::Family::V4) ||
                         hostnet::takes_everything(routed, net::Family::V6);
  if (takes_all && source.file.table == "auto") return hostnet::kFirstQuickTable;
  return LockPolicy{}.mark.value;
}

Status set_mark(LockPolicy& policy, std::uint32_t mark) {
  policy.mark.value = mark;
  policy.mark.mask |= mark;
  if ((mark & policy.manage_mark.mask) == 0) return ok();
  return fail(ErrorCode::InvalidArgument,
              fmt::format("the mark {:#x} shares bits with {:#x}, by which management is known; "
                          "choose another with FwMark or --fwmark",
                          mark, policy.manage_mark.mask));
}

Status add_tunnel(const Request& request, const hostnet::HostState& host,
                  quick::Interruption& interruption, LockPolicy& policy) {
  const auto source = quick::read_source(request.configuration);
  if (!source) return std::unexpected(source.error());
  warn_of(*source);
  auto names = quick::look_up_names(*source, kLookupRetries, interruption);
  if (!names && names.error().code == ErrorCode::Unavailable && request.locked) {
    // Locked already, and without a tunnel to ask through: it stays with the addresses that it has.
    auto kept = quick::look_up_names(*source, 0, interruption, request.locked);
    if (kept) names = std::move(kept);
  }
  if (!names) return std::unexpected(names.error());
  policy.state = hostnet::LockState::Connected;
  policy.tunnels = {source->interface};
  for (const auto& endpoint : names->endpoints) {
    if (endpoint) policy.endpoints.push_back(*endpoint);
  }
  if (policy.endpoints.empty()) {
    return fail(ErrorCode::InvalidArgument,
                fmt::format("{}: no peer has an Endpoint, so there is nothing to let out; add one, "
                            "or lock without a file",
                            source->path));
  }
  if (names->listen_port && *names->listen_port != 0) policy.listen_ports = {*names->listen_port};
  for (const net::InterfaceAddress& address : source->file.addresses) {
    policy.tunnel_addresses.push_back(address.address);
  }
  if (!request.mark) {
    if (Status set = set_mark(policy, mark_of(*source, host)); !set) return set;
  }
  if (request.dns.empty()) return read_list("DNS", source->file.dns_servers, policy.dns);
  return ok();
}

// Paths are taken below the hierarchy's root, or as they stand in the file system.
std::string below_root(std::string_view path) {
  constexpr std::string_view kUsualRoot = "/sys/fs/cgroup";
  if (path.starts_with(kUsualRoot)) path.remove_prefix(kUsualRoot.size());
  while (path.starts_with('/')) path.remove_prefix(1);
  while (path.ends_with('/')) path.remove_suffix(1);
  return std::string(path);
}

Status add_split(const Request& request, LockPolicy& policy) {
  for (const std::string& text : request.split_users) {
    const auto user = parse_number<std::uint32_t>(text, 1, hostnet::SplitProgram::kNoUser - 1);
    if (!user) {
      return fail(ErrorCode::InvalidArgument,
                  fmt::format("--split-uid: \"{}\" is no user's number from 1 on; \"id -u NAME\" "
                              "tells it",
                              text));
    }
    policy.split.push_back({.user = *user});
  }
  for (const std::string& path : request.split_cgroups) {
    policy.split.push_back({.cgroup = below_root(path)});
  }
  policy.split_dns = request.split_dns;
  if (!request.split_dns || !policy.split.empty()) return ok();
  return fail(ErrorCode::InvalidArgument,
              "--split-dns: name the programs with --split-uid or --split-cgroup");
}

// The session that asks keeps its way in; nobody else gets one by that.
void add_own_session(const Request& request, const hostnet::HostState& host, LockPolicy& policy) {
  const auto peer = gateway::ssh_peer(request.ssh_connection);
  if (!policy.manage.empty() || !peer) return;
  if (!gateway::is_on_link(host, *peer, policy.tunnels)) return;
  policy.manage.push_back(net::Prefix::host(*peer));
}

}  // namespace

std::optional<std::uint32_t> mark_on_host(const hostnet::HostState& host,
                                          const std::string& interface) {
  for (const hostnet::RoutingRule& rule : host.rules) {
    if (!rule.inverted || rule.mark == 0 || rule.action != hostnet::RuleAction::Lookup) continue;
    const bool leads_there = std::ranges::any_of(host.routes, [&](const hostnet::Route& route) {
      return route.table == rule.table && route.interface == interface;
    });
    if (leads_there && rule.origin != hostnet::RouteOrigin::Ginnel) return rule.mark;
  }
  return std::nullopt;
}

Result<LockPolicy> policy_of(const Request& request, const hostnet::HostState& host,
                             quick::Interruption& interruption) {
  LockPolicy policy{
      .state = hostnet::LockState::Locked, .holder = "killswitch", .owned = request.owned};
  if (request.mark) {
    const auto mark = read_mark(*request.mark);
    if (!mark) return std::unexpected(mark.error());
    if (Status set = set_mark(policy, *mark); !set) return pass(std::move(set));
  }
  if (!request.configuration.empty()) {
    Status added = add_tunnel(request, host, interruption, policy);
    if (!added) return pass(std::move(added));
  }
  for (Status read : {read_list("--allow", request.allow, policy.allowed),
                      read_list("--manage", request.manage, policy.manage),
                      read_list("--dhcp-server", request.dhcp, policy.dhcp_servers),
                      read_list("--dns", request.dns, policy.dns), check_allowed(policy.allowed),
                      add_split(request, policy)}) {
    if (!read) return pass(std::move(read));
  }
  if (request.lan_access) {
    const auto local = local_prefixes(host, policy.tunnels);
    policy.allowed.insert(policy.allowed.end(), local.begin(), local.end());
  }
  add_own_session(request, host, policy);
  // Whoever asks has seen what stands now.
  policy.known_routes = routes_to_know(host, lockable_devices(host, policy.tunnels, policy.lans));
  if (Status checked = check(policy); !checked) return pass(std::move(checked));
  return policy;
}

}  // namespace ginnel::killswitch

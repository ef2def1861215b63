// The flags that say what a lock is to be, shared by `killswitch on`, `gateway` and the tests of
// both.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/args.h"
#include "cli/io.h"
#include "core/gateway/gateway_config.h"
#include "service/killswitch/request.h"

namespace ginnel::cli {

inline constexpr Flag kManageFlag{
    .name = "--manage",
    .value = "PREFIX",
    .help =
        "let connections in from here, and their replies out; 0.0.0.0/0: from anywhere "
        "(default: who is logged in by ssh, if on-link)",
    .repeatable = true};
inline constexpr Flag kDnsFlag{.name = "--dns",
                               .value = "ADDRESS",
                               .help = "ask these servers through the tunnel (default: the file's)",
                               .repeatable = true};

// Of `killswitch on` and `killswitch test` alone.
inline constexpr Flag kAllowFlag{.name = "--allow",
                                 .value = "PREFIX",
                                 .help = "reach this directly, outside the tunnel",
                                 .repeatable = true};
inline constexpr Flag kLanAccessFlag{
    .name = "--lan-access", .help = "reach the private networks that this host is in directly"};
inline constexpr Flag kRenewLeasesFlag{
    .name = "--dhcp-server",
    .value = "ADDRESS",
    .help = "renew leases here without waiting for the broadcast",
    .repeatable = true};
inline constexpr Flag kSplitUserFlag{.name = "--split-uid",
                                     .value = "UID",
                                     .help = "let what this user runs go beside the tunnel",
                                     .repeatable = true};
inline constexpr Flag kSplitCgroupFlag{
    .name = "--split-cgroup",
    .value = "PATH",
    .help = "let what runs in this cgroup (v2) go beside the tunnel: system.slice/backup.service",
    .repeatable = true};
inline constexpr Flag kSplitDnsFlag{.name = "--split-dns",
                                    .help = "and let them ask any DNS server, in clear"};
inline constexpr Flag kMarkFlag{
    .name = "--fwmark",
    .value = "MARK",
    .help = "that the tunnel's datagrams carry (default: the file's, or what is in use)"};
inline constexpr Flag kPlainTablesFlag{
    .name = "--plain-tables",
    .help = "let others change the tables, and put them back; for kernels that cannot do better"};

// Of `gateway` and `gateway test` alone.
inline constexpr Flag kLanFlag{
    .name = "--lan",
    .value = "IFACE",
    .help = "the interface behind which the LAN is; a bridge counts with its ports",
    .repeatable = true,
    .completes = Completes::Interface};
inline constexpr Flag kLocalFlag{
    .name = "--local",
    .value = "PREFIX",
    .help = "a network nearby: the LAN reaches it directly, and is reached from it",
    .repeatable = true};
inline constexpr Flag kBlockIpv6Flag{.name = "--block-ipv6",
                                     .help = "no IPv6 even if the tunnel carries it"};
inline constexpr Flag kKnownLeasesFlag{
    .name = "--dhcp-server",
    .value = "ADDRESS",
    .help = "renew leases here without waiting for the broadcast (default: as leases say)",
    .repeatable = true};
inline constexpr Flag kMaskedMarkFlag{
    .name = "--fwmark",
    .value = "MARK[/MASK]",
    .help = "what marks the tunnel's own datagrams (0x8888/0xffff)"};
inline constexpr Flag kTableFlag{
    .name = "--table", .value = "NUMBER", .help = "the tunnel's routing table (1000)"};
inline constexpr Flag kPrioritiesFlag{.name = "--rule-priorities",
                                      .value = "LOCAL,TUNNEL,REFUSE",
                                      .help = "of the policy rules (5,10,11)"};
inline constexpr Flag kEndpointsFlag{
    .name = "--state-dir",
    .value = "DIR",
    .help = "where addresses of endpoints are kept (/var/lib/ginnel/gateway)",
    .completes = Completes::Folder};

// What a repeatable flag was given, in order.
inline std::vector<std::string> list_of(const Args& args, std::string_view flag) {
  return {args.values(flag).begin(), args.values(flag).end()};
}
inline std::optional<std::string> text_of(const Args& args, std::string_view flag) {
  const auto value = args.value(flag);
  return value ? std::optional<std::string>(*value) : std::nullopt;
}

inline killswitch::Request lock_request(const Args& args, const Io& io) {
  return {.configuration = std::string(args.positional(0)),
          .allow = list_of(args, "--allow"),
          .manage = list_of(args, "--manage"),
          .dhcp = list_of(args, "--dhcp-server"),
          .dns = list_of(args, "--dns"),
          .split_users = list_of(args, "--split-uid"),
          .split_cgroups = list_of(args, "--split-cgroup"),
          .split_dns = args.flag("--split-dns"),
          .mark = text_of(args, "--fwmark"),
          .lan_access = args.flag("--lan-access"),
          .owned = !args.flag("--plain-tables"),
          .ssh_connection = io.environment("SSH_CONNECTION").value_or("")};
}
// Those of a gateway's flags that its lock follows from.
inline gateway::GatewayFlags gateway_lock_flags(const Args& args) {
  return {.lan = list_of(args, "--lan"),
          .local = list_of(args, "--local"),
          .manage = list_of(args, "--manage"),
          .dns = list_of(args, "--dns"),
          .dhcp_servers = list_of(args, "--dhcp-server"),
          .fwmark = text_of(args, "--fwmark"),
          .table = text_of(args, "--table"),
          .priorities = text_of(args, "--rule-priorities"),
          .block_ipv6 = args.flag("--block-ipv6")};
}

}  // namespace ginnel::cli

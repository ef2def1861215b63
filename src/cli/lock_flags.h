// The flags that say what a lock is to be, shared by `killswitch on`, `gateway` and the tests of
// both.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/args.h"

namespace ginnel::cli {

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

// What a repeatable flag was given, in order.
inline std::vector<std::string> list_of(const Args& args, std::string_view flag) {
  return {args.values(flag).begin(), args.values(flag).end()};
}
inline std::optional<std::string> text_of(const Args& args, std::string_view flag) {
  const auto value = args.value(flag);
  return value ? std::optional<std::string>(*value) : std::nullopt;
}

}  // namespace ginnel::cli

#include "core/leaks/leak_class.h"

#include <array>

namespace ginnel::leaks {
namespace {

using enum LeakClass;

constexpr std::string_view kByTheTunnel = "the check that the tunnel carries covers it";

constexpr std::array kClasses = {
    LeakClassInfo{BootRace, "traffic before the lock, at boot", ""},
    LeakClassInfo{NamespaceRace, "a start race inside a container",
                  "the lock is the host's; \"ginnel cage\" is what has no such race"},
    LeakClassInfo{TunnelGone, "the tunnel's interface, routes or rules are gone", ""},
    LeakClassInfo{LiveFlow, "live flows, re-routed when the tunnel goes", ""},
    LeakClassInfo{DaemonKilled, "the daemon is killed", ""},
    LeakClassInfo{Restart, "while the daemon is not connected", ""},
    LeakClassInfo{Reconfiguration, "while the rules are changed", ""},
    LeakClassInfo{ForeignFlush, "another program flushes the ruleset", ""},
    LeakClassInfo{Ipv6, "IPv6 beside the tunnel", ""},
    LeakClassInfo{WideLan, "access to the local network", ""},
    LeakClassInfo{InjectedRoute, "routes and rules that others inject", ""},
    LeakClassInfo{PublicLocalNet, "a public network given out as the local one", ""},
    LeakClassInfo{EndpointInClear, "traffic in clear to the endpoint's address", ""},
    LeakClassInfo{EndpointName, "the endpoint's name looked up in clear", ""},
    LeakClassInfo{LanResolver, "DNS to a resolver on the local network", ""},
    LeakClassInfo{FallbackResolver, "DNS to other resolvers", ""},
    LeakClassInfo{EncryptedDns, "DNS over HTTPS by programs",
                  "it goes into the tunnel as all HTTPS does"},
    LeakClassInfo{BoundToDevice, "programs bound to an interface or its address", ""},
    LeakClassInfo{RawFrame, "raw frames from packet sockets", ""},
    LeakClassInfo{Multicast, "multicast and broadcast", ""},
    LeakClassInfo{Forwarded, "forwarded traffic of LAN members and containers", ""},
    LeakClassInfo{PublishedPort, "answers to who asks from outside", ""},
    LeakClassInfo{RoutingLoop, "the tunnel's own datagrams sent into the tunnel", kByTheTunnel},
    LeakClassInfo{CopiedMark, "other programs' packets with the tunnel's mark", ""},
    LeakClassInfo{TunnelProbe, "probing for the tunnel's address", ""},
    LeakClassInfo{PortShadow, "port shadow on a server that translates",
                  "a server's affair, and this is a client"},
    LeakClassInfo{SplitTunnel, "exceptions that are wider than meant",
                  "what is allowed by program is not attacked"},
    LeakClassInfo{Roaming, "suspend, roaming, captive portals",
                  "the lock does not change with them: as L1 and L3"},
    LeakClassInfo{TimeSync, "time and connectivity checks outside", ""},
    LeakClassInfo{IcmpError, "ICMP errors that quote packets", ""},
    LeakClassInfo{OwnTraffic, "the daemon's own logs and metrics",
                  "it has no exception, so the other classes cover it"},
};

constexpr const LeakClassInfo& info_of(LeakClass leak_class) {
  return kClasses[static_cast<std::size_t>(leak_class) - 1];
}

}  // namespace

std::span<const LeakClassInfo> leak_classes() { return kClasses; }

std::string id_of(LeakClass leak_class) {
  return "L" + std::to_string(static_cast<unsigned>(leak_class));
}

std::string_view name_of(LeakClass leak_class) { return info_of(leak_class).name; }

}  // namespace ginnel::leaks

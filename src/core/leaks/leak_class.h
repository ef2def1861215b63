// The ways in which traffic gets past a VPN, numbered: L1 to L31. Reports, findings and tests name
// them by these numbers. docs/leak-test.md lists them for people.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace ginnel::leaks {

enum class LeakClass : std::uint8_t {
  BootRace = 1,
  NamespaceRace = 2,
  TunnelGone = 3,
  LiveFlow = 4,
  DaemonKilled = 5,
  Restart = 6,
  Reconfiguration = 7,
  ForeignFlush = 8,
  Ipv6 = 9,
  WideLan = 10,
  InjectedRoute = 11,
  PublicLocalNet = 12,
  EndpointInClear = 13,
  EndpointName = 14,
  LanResolver = 15,
  FallbackResolver = 16,
  EncryptedDns = 17,
  BoundToDevice = 18,
  RawFrame = 19,
  Multicast = 20,
  Forwarded = 21,
  PublishedPort = 22,
  RoutingLoop = 23,
  CopiedMark = 24,
  TunnelProbe = 25,
  PortShadow = 26,
  SplitTunnel = 27,
  Roaming = 28,
  TimeSync = 29,
  IcmpError = 30,
  OwnTraffic = 31,
};

struct LeakClassInfo {
  LeakClass leak_class;
  std::string_view name;
  // Why no packet can show it; empty: the leak test attacks with it.
  std::string_view untested;
};

// All of them, in order.
std::span<const LeakClassInfo> leak_classes();

std::string id_of(LeakClass leak_class);  // "L19"
std::string_view name_of(LeakClass leak_class);

}  // namespace ginnel::leaks

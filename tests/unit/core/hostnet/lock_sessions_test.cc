#include "core/hostnet/lock_sessions.h"

#include <gtest/gtest.h>

#include "unit/core/hostnet/lock_samples.h"

namespace ginnel::hostnet {
namespace {

TcpSocket listening(const char* local) { return {.local = to_endpoint(local), .listens = true}; }
TcpSocket connected(const char* local, const char* remote) {
  return {.local = to_endpoint(local), .remote = to_endpoint(remote)};
}

// Management is 192.168.50.0/24 and 2001:db8:50::/64; eth0 is device 2, eth1 device 3.
HostState host() {
  return {.routes = {{.destination = to_prefix("0.0.0.0/0"), .interface = "eth0"},
                     {.destination = to_prefix("192.168.50.0/25"), .interface = "eth1"},
                     {.destination = to_prefix("192.168.50.0/26"), .interface = "wg0"},
                     {.destination = to_prefix("192.168.50.0/26"), .interface = "eth1", .table = 7},
                     {.destination = to_prefix("2001:db8:50::/64"), .interface = "eth0"}}};
}

TEST(ManagementSessions, AreThoseThatCameInFromManagement) {
  const struct {
    const char* what;
    std::vector<TcpSocket> sockets;
    std::optional<std::uint32_t> mark;
  } rows[] = {
      {"ssh",
       {listening("0.0.0.0:22"), connected("192.168.1.7:22", "192.168.50.200:4000")},
       2u << 16},
      {"heard on ::",
       {listening("[::]:22"), connected("192.168.1.7:22", "192.168.50.200:4000")},
       2u << 16},
      {"on its own address",
       {listening("192.168.1.7:22"), connected("192.168.1.7:22", "192.168.50.200:4000")},
       2u << 16},
      {"by the narrower route",
       {listening("0.0.0.0:22"), connected("192.168.1.7:22", "192.168.50.100:4000")},
       3u << 16},
      {"IPv6",
       {listening("[::]:22"), connected("[fd00:5::7]:22", "[2001:db8:50::9]:4000")},
       2u << 16},
      {"through the tunnel",
       {listening("0.0.0.0:22"), connected("192.168.1.7:22", "192.168.50.9:4000")},
       std::nullopt},
      {"from elsewhere",
       {listening("0.0.0.0:22"), connected("192.168.1.7:22", "192.168.51.9:4000")},
       std::nullopt},
      {"started here",
       {listening("0.0.0.0:22"), connected("192.168.1.7:4000", "192.168.50.200:22")},
       std::nullopt},
      {"to another address of ours",
       {listening("192.168.1.8:22"), connected("192.168.1.7:22", "192.168.50.200:4000")},
       std::nullopt},
      {"of nobody who listens", {connected("192.168.1.7:22", "192.168.50.200:4000")}, std::nullopt},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.what);
    const auto sessions =
        management_sessions(full_policy(LockState::Connected), host(), row.sockets);
    ASSERT_EQ(sessions.size(), row.mark ? 1u : 0u);
    if (!row.mark) continue;
    EXPECT_EQ(sessions.front().local, row.sockets.back().local);
    EXPECT_EQ(sessions.front().remote, row.sockets.back().remote);
    EXPECT_EQ(sessions.front().mark, (MarkBits{.value = *row.mark, .mask = 0xff0000}));
    EXPECT_TRUE(management_sessions(full_policy(LockState::Off), host(), row.sockets).empty());
  }
}

TEST(ManagementSessions, HaveALimit) {
  for (std::size_t count : {kMaxLiveSessions - 1, kMaxLiveSessions, kMaxLiveSessions + 1}) {
    std::vector<TcpSocket> sockets = {listening("0.0.0.0:22")};
    for (std::size_t i = 0; i < count; ++i) {
      sockets.push_back(connected("192.168.1.7:22", "192.168.50.200:4000"));
      sockets.back().remote.port = static_cast<std::uint16_t>(1000 + i);
    }
    EXPECT_EQ(management_sessions(full_policy(LockState::Locked), host(), sockets).size(),
              std::min(count, kMaxLiveSessions));
  }
}

TEST(ConnectionsLiveOn, WhereNothingIsTakenAway) {
  const LockPolicy former = full_policy(LockState::Connected);
  const struct {
    const char* what;
    void (*change)(LockPolicy&);
    bool live_on;
  } rows[] = {
      {"nothing", [](LockPolicy&) {}, true},
      {"an interface came", [](LockPolicy& p) { p.devices.push_back({"eth9", 9}); }, true},
      {"an interface went", [](LockPolicy& p) { p.devices.pop_back(); }, true},
      {"the server moved", [](LockPolicy& p) { p.endpoints = {to_endpoint("198.51.100.9:1")}; },
       true},
      {"other DNS servers", [](LockPolicy& p) { p.dns = {to_address("10.2.0.9")}; }, true},
      {"a name is asked", [](LockPolicy& p) { p.resolvers = {to_endpoint("192.0.2.1:53")}; }, true},
      {"no tunnel answers", [](LockPolicy& p) { p.state = LockState::Connecting; }, true},
      {"locked", [](LockPolicy& p) { p.state = LockState::Locked; }, true},
      {"in doubt", [](LockPolicy& p) { p.state = LockState::Error; }, false},
      {"off", [](LockPolicy& p) { p.state = LockState::Off; }, false},
      {"another standby", [](LockPolicy& p) { p.tunnels.push_back("wg9"); }, true},
      {"another tunnel first", [](LockPolicy& p) { p.tunnels.insert(p.tunnels.begin(), "wg9"); },
       false},
      {"no tunnel", [](LockPolicy& p) { p.tunnels.clear(); }, false},
      {"one more address",
       [](LockPolicy& p) { p.tunnel_addresses.push_back(to_address("10.2.9.9")); }, true},
      {"another address",
       [](LockPolicy& p) { p.tunnel_addresses.front() = to_address("10.2.9.9"); }, false},
      {"a LAN more", [](LockPolicy& p) { p.lans.push_back({"eth9", {to_prefix("10.99.0.0/24")}}); },
       true},
      {"a subnet more of a LAN",
       [](LockPolicy& p) { p.lans.front().prefixes.push_back(to_prefix("10.99.0.0/24")); }, true},
      {"a subnet less of a LAN", [](LockPolicy& p) { p.lans.front().prefixes.pop_back(); }, false},
      {"a LAN less", [](LockPolicy& p) { p.lans.pop_back(); }, false},
      {"a prefix more is allowed",
       [](LockPolicy& p) { p.allowed.push_back(to_prefix("10.99.0.0/24")); }, true},
      {"a prefix less is allowed", [](LockPolicy& p) { p.allowed.pop_back(); }, false},
      {"more management", [](LockPolicy& p) { p.manage.push_back(to_prefix("10.99.0.0/24")); },
       true},
      {"less management", [](LockPolicy& p) { p.manage.pop_back(); }, false},
      {"another program beside it", [](LockPolicy& p) { p.split.push_back({.user = 9999}); },
       false},
      {"another mark", [](LockPolicy& p) { p.mark.value = 0x7777; }, false},
      {"another holder", [](LockPolicy& p) { p.holder = "killswitch"; }, false},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.what);
    LockPolicy now = former;
    row.change(now);
    EXPECT_EQ(connections_live_on(former, now), row.live_on);
  }
  // The first lock of a host.
  EXPECT_FALSE(connections_live_on({}, former));
}

}  // namespace
}  // namespace ginnel::hostnet

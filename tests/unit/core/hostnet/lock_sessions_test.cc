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

}  // namespace
}  // namespace ginnel::hostnet

#include "os/network_monitor.h"

#include <net/if.h>
#include <poll.h>

#include <fstream>

#include "unit/os/private_network.h"

namespace ginnel::os {
namespace {

using Kind = NetworkEvent::Kind;

class NetworkMonitorTest : public PrivateNetwork {
 protected:
  void SetUp() override {
    PrivateNetwork::SetUp();
    auto opened = NetworkMonitor::open();
    ASSERT_TRUE(opened) << opened.error().message;
    monitor_.emplace(std::move(*opened));
  }
  std::vector<NetworkEvent> read() {
    auto events = monitor_->read();
    EXPECT_TRUE(events) << events.error().message;
    return events ? *events : std::vector<NetworkEvent>{};
  }
  // Commands have reported what they did when they return.
  std::vector<NetworkEvent> events_of(const std::string& command) {
    read();
    shell(command);
    return read();
  }
  bool is_readable() {
    pollfd waiting{.fd = monitor_->fd(), .events = POLLIN, .revents = 0};
    return ::poll(&waiting, 1, 0) == 1;
  }
  std::optional<NetworkMonitor> monitor_;
};

bool has(const std::vector<NetworkEvent>& events, Kind kind, unsigned index) {
  return std::ranges::any_of(
      events, [&](const NetworkEvent& e) { return e.kind == kind && e.index == index; });
}

TEST_F(NetworkMonitorTest, SaysNothingWhileNothingHappens) {
  EXPECT_TRUE(eventually([&] { return read().empty() && !is_readable(); }));
}

TEST_F(NetworkMonitorTest, ReportsLinksThatComeChangeAndGo) {
  const auto created = events_of("ip link add br0 type bridge");
  const unsigned index = ::if_nametoindex("br0");
  EXPECT_TRUE(has(created, Kind::LinkChanged, index));
  EXPECT_TRUE(has(events_of("ip link set br0 mtu 1400"), Kind::LinkChanged, index));

  shell("ip link del br0");
  EXPECT_TRUE(is_readable());
  const auto removed = read();
  EXPECT_NE(
      std::ranges::find(
          removed, NetworkEvent{.kind = Kind::LinkRemoved, .index = index, .interface = "br0"}),
      removed.end());
}

TEST_F(NetworkMonitorTest, ReportsAddressesAndRoutesOfBothFamilies) {
  shell("ip link add br0 type bridge && ip link set br0 up");
  const unsigned index = ::if_nametoindex("br0");
  EXPECT_TRUE(has(events_of("ip addr add 192.0.2.1/24 dev br0"), Kind::AddressChanged, index));
  EXPECT_TRUE(has(events_of("ip addr add 2001:db8::1/64 dev br0"), Kind::AddressChanged, index));
  EXPECT_TRUE(has(events_of("ip route add 10.0.0.0/8 via 192.0.2.9"), Kind::RouteChanged, 0));
  EXPECT_TRUE(has(events_of("ip -6 route add default dev br0"), Kind::RouteChanged, 0));
  EXPECT_TRUE(has(events_of("ip -6 route del default dev br0"), Kind::RouteChanged, 0));
}

TEST_F(NetworkMonitorTest, DoesNotTakeAPortThatLeavesItsBridgeForADeletedOne) {
  shell("ip link add br0 type bridge && ip link add eth0 type veth peer name far");
  shell("ip link set eth0 master br0");
  const auto events = events_of("ip link set eth0 nomaster");
  EXPECT_FALSE(has(events, Kind::LinkRemoved, ::if_nametoindex("eth0")));
  EXPECT_TRUE(has(events, Kind::LinkChanged, ::if_nametoindex("eth0")));
}

TEST_F(NetworkMonitorTest, ReportsAThousandRoutesAsOne) {
  const std::string path = testing::TempDir() + "/ginnel_routes";
  std::ofstream file(path);
  for (int i = 0; i < 1000; ++i) {
    file << "route add unreachable 10." << i / 256 << "." << i % 256 << ".0/24\n";
  }
  file.close();
  const auto events = events_of("ip -batch " + path);
  EXPECT_EQ(std::ranges::count(events, Kind::RouteChanged, &NetworkEvent::kind), 1);
  EXPECT_FALSE(has(events, Kind::Resync, 0));
}

TEST_F(NetworkMonitorTest, AsksForAResyncWhenItMissedSomething) {
  const std::string path = testing::TempDir() + "/ginnel_routes";
  std::ofstream file(path);
  for (int i = 0; i < 20'000; ++i) {
    file << "route add unreachable 10." << i / 256 << "." << i % 256 << ".0/24\n";
  }
  file.close();
  EXPECT_EQ(events_of("ip -batch " + path), (std::vector<NetworkEvent>{{.kind = Kind::Resync}}));
  // It goes on as before.
  while (is_readable()) read();
  EXPECT_TRUE(has(events_of("ip route del unreachable 10.0.0.0/24"), Kind::RouteChanged, 0));
}

}  // namespace
}  // namespace ginnel::os

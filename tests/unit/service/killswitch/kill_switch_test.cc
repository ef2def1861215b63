// The lock in a network namespace of the test's own, with plain tables: nobody else's process holds
// anything.
#include "service/killswitch/kill_switch.h"

#include <fmt/format.h>

#include <thread>

#include "unit/os/private_network.h"
#include "unit/os/temporary_directory.h"

namespace ginnel::killswitch {
namespace {

using hostnet::LockPolicy;
using hostnet::LockState;

LockPolicy locked(const char* holder = "test") {
  return {.state = LockState::Locked, .holder = holder, .owned = false};
}

LockPolicy through(const char* interface) {
  LockPolicy policy = locked();
  policy.state = LockState::Connected;
  policy.tunnels = {interface};
  policy.endpoints = {net::Endpoint::parse("192.0.2.1:51820").value()};
  return policy;
}

class KillSwitchTest : public os::PrivateNetwork {
 protected:
  void SetUp() override {
    os::PrivateNetwork::SetUp();
    os::shell("ip link set lo up; ip link add eth0 type veth peer name eth1; ip link set eth0 up");
  }
  Result<KillSwitch> open() {
    return KillSwitch::open(
        {.state_directory = directory_ / "state", .run_directory = directory_ / "run"});
  }
  // What a new process finds.
  LockReport report() {
    auto lock = open();
    EXPECT_TRUE(lock) << lock.error().message;
    auto inspected = lock->inspect();
    EXPECT_TRUE(inspected) << inspected.error().message;
    return std::move(*inspected);
  }
  std::string host() { return os::shell("ip -j rule; ip -j -6 rule; nft -j list tables"); }

  os::TemporaryDirectory directory_;
};

TEST_F(KillSwitchTest, IsOffAtFirst) {
  const LockReport found = report();
  EXPECT_FALSE(found.is_locked());
  EXPECT_FALSE(found.is_armed());
  EXPECT_TRUE(found.missing.empty());
}

TEST_F(KillSwitchTest, IsArmedOnceChangedAndLeavesNothingWhenOff) {
  const std::string before = host();
  ASSERT_TRUE(open()->change(locked()));
  LockReport found = report();
  EXPECT_TRUE(found.is_armed()) << fmt::format("{}", found.missing.front());
  EXPECT_EQ(found.policy.holder, "test");
  EXPECT_EQ(found.policy.devices.size(), 2u);
  EXPECT_EQ(found.hash.size(), 16u);
  ASSERT_TRUE(open()->change({}));
  EXPECT_FALSE(report().is_locked());
  EXPECT_EQ(host(), before);
}

TEST_F(KillSwitchTest, SaysWhatIsMissingAndMendsIt) {
  ASSERT_TRUE(open()->change(locked()));
  const std::pair<const char*, const char*> attacks[] = {
      {"nft delete table inet ginnel-lock-host", "table inet ginnel-lock-host"},
      {"nft flush chain netdev ginnel-lock-host egress-eth0", "table netdev ginnel-lock-host"},
      {"ip rule del pref 10", "someone has to add rule 10: "},
      {"ip -6 rule del pref 11", "someone has to add rule 11: "},
      {"ip route flush table 1000", "someone has to add route unreachable default"},
      {"ip link add eth7 type veth peer name eth8", "table netdev ginnel-lock-host"},
      {"sysctl -qw net.ipv4.conf.all.arp_ignore=0", "net/ipv4/conf/all/arp_ignore is 0, not 2"},
  };
  for (const auto& [attack, what] : attacks) {
    SCOPED_TRACE(attack);
    os::shell(attack);
    const LockReport harmed = report();
    EXPECT_FALSE(harmed.is_armed());
    EXPECT_TRUE(std::ranges::any_of(harmed.missing, [&](const std::string& missing) {
      return missing.find(what) != std::string::npos;
    })) << fmt::format("{}", harmed.missing.empty() ? "" : harmed.missing.front());
    ASSERT_TRUE(open()->mend());
    EXPECT_TRUE(report().is_armed());
  }
}

TEST_F(KillSwitchTest, GoesBackUnlessItIsConfirmed) {
  ASSERT_TRUE(open()->change(locked("first")));
  {
    auto lock = open();
    ASSERT_TRUE(lock->expect_confirmation(MonoTime(std::chrono::seconds(5))));
    ASSERT_TRUE(lock->change(locked("second")));
    ASSERT_TRUE(lock->expect_confirmation(MonoTime(std::chrono::seconds(9))));
    ASSERT_TRUE(lock->change(locked("third")));
    EXPECT_EQ(*lock->confirmation_deadline(), MonoTime(std::chrono::seconds(9)));
  }
  ASSERT_TRUE(open()->revert());
  EXPECT_EQ(report().policy.holder, "first");
  EXPECT_EQ(*open()->confirmation_deadline(), std::nullopt);
  EXPECT_FALSE(open()->revert());
  EXPECT_FALSE(open()->confirm());
  auto lock = open();
  ASSERT_TRUE(lock->expect_confirmation(MonoTime(std::chrono::seconds(5))));
  ASSERT_TRUE(lock->change(locked("fourth")));
  ASSERT_TRUE(lock->confirm());
  EXPECT_FALSE(lock->revert());
  EXPECT_EQ(lock->policy().holder, "fourth");
}

TEST_F(KillSwitchTest, ChangesNothingWhenItCannotBe) {
  ASSERT_TRUE(open()->change(locked("before")));
  LockPolicy wrong = locked("after");
  wrong.mark = {.value = 0, .mask = 0xff};
  EXPECT_FALSE(open()->change(wrong));
  EXPECT_EQ(report().policy.holder, "before");
  EXPECT_TRUE(report().is_armed());
}

TEST_F(KillSwitchTest, ExpectsNoConfirmationOfAChangeThatFails) {
  LockPolicy wrong = locked("wrong");
  wrong.mark = {.value = 0, .mask = 0xff};
  {
    auto lock = open();
    ASSERT_TRUE(lock->expect_confirmation(MonoTime(std::chrono::seconds(5))));
    EXPECT_FALSE(lock->change(wrong));
  }
  EXPECT_EQ(*open()->confirmation_deadline(), std::nullopt);
  {
    auto lock = open();
    ASSERT_TRUE(lock->expect_confirmation(MonoTime(std::chrono::seconds(6))));
    ASSERT_TRUE(lock->change(locked("first")));
    EXPECT_FALSE(lock->change(wrong));
  }
  EXPECT_EQ(*open()->confirmation_deadline(), MonoTime(std::chrono::seconds(6)));
  {
    auto lock = open();
    ASSERT_TRUE(lock->expect_confirmation(MonoTime(std::chrono::seconds(7))));
    EXPECT_FALSE(lock->change(wrong));
  }
  EXPECT_EQ(*open()->confirmation_deadline(), MonoTime(std::chrono::seconds(6)));
}

TEST_F(KillSwitchTest, TellsWhichTunnelsAreUp) {
  ASSERT_TRUE(open()->change(through("eth0")));
  EXPECT_EQ(report().tunnels_up, std::vector<std::string>{"eth0"});
  os::shell("ip link set eth0 down");
  EXPECT_TRUE(report().tunnels_up.empty());
  os::shell("ip link del eth0");
  EXPECT_TRUE(report().tunnels_up.empty());
}

TEST_F(KillSwitchTest, LetsNobodyBeAskedForWhoIsGone) {
  LockPolicy asking = locked();
  asking.state = LockState::Connecting;
  asking.resolvers = {{.address = net::Address::parse("192.0.2.1").value(), .port = 53}};
  {
    const auto alive = os::FileLock::take(open()->files().asking_path());
    ASSERT_TRUE(alive);
    ASSERT_TRUE(open()->change(asking));
    const LockReport found = report();
    EXPECT_TRUE(found.is_armed()) << fmt::format("{}", found.missing.front());
    EXPECT_EQ(found.policy.resolvers, asking.resolvers);
    ASSERT_TRUE(open()->mend());
    EXPECT_NE(os::shell("nft list sets").find("elements = { 192.0.2.1 "), std::string::npos);
  }
  LockReport found = report();
  EXPECT_TRUE(found.policy.resolvers.empty());
  EXPECT_EQ(found.missing.size(), 2u);
  ASSERT_TRUE(open()->mend());
  found = report();
  EXPECT_TRUE(found.is_armed()) << fmt::format("{}", found.missing.front());
  EXPECT_EQ(os::shell("nft list sets").find("192.0.2.1"), std::string::npos);
}

// The claims cannot be recorded, which is found when the tables are loaded already.
TEST_F(KillSwitchTest, KeepsTheFormerLockWhenItCannotFinishAnother) {
  const std::string before = host();
  const auto in_run_directory = [&](const char* command) {
    os::shell(fmt::format("cd {}/*/ && {}", directory_ / "run", command));
  };
  ASSERT_TRUE(open()->change(locked("before")));
  auto lock = open();
  in_run_directory("mv ledger away && mkdir ledger");
  LockPolicy other = locked("after");
  other.allowed = {net::Prefix::parse("10.1.0.0/16").value()};
  EXPECT_FALSE(lock->change(other));
  EXPECT_EQ(lock->policy().holder, "before");
  EXPECT_FALSE(lock->mend());
  const std::string tables = os::shell("nft list ruleset");
  EXPECT_TRUE(tables.contains("table inet ginnel-lock-host"));
  EXPECT_FALSE(tables.contains("10.1.0.0/16"));
  lock = fail(ErrorCode::NotFound, "given up");
  in_run_directory("rmdir ledger && mv away ledger");
  EXPECT_EQ(report().policy.holder, "before");
  ASSERT_TRUE(open()->mend());
  EXPECT_TRUE(report().is_armed());
  ASSERT_TRUE(open()->change({}));
  EXPECT_EQ(host(), before);
}

// Whatever somebody does to the way through the tunnel, the lock itself stands.
TEST_F(KillSwitchTest, TakesItsPlacesInItsTableBack) {
  ASSERT_TRUE(open()->change(through("eth0")));
  os::shell("ip link set eth1 up");
  for (const char* attack : {"ip route replace default dev eth1 table 1000",
                             "ip -6 route replace default dev eth1 table 1000",
                             "ip route replace blackhole default table 1000 metric 4294967294"}) {
    SCOPED_TRACE(attack);
    os::shell(attack);
    EXPECT_FALSE(report().is_armed());
    const Status mended = open()->mend();
    EXPECT_TRUE(mended) << mended.error().message;
    EXPECT_TRUE(report().is_armed());
  }
}

TEST_F(KillSwitchTest, LocksWhereTheTunnelTakesNoIpv6) {
  os::shell("sysctl -qw net.ipv6.conf.eth0.disable_ipv6=1");
  const Status locked = open()->change(through("eth0"));
  ASSERT_TRUE(locked) << locked.error().message;
  EXPECT_TRUE(report().is_armed());
  const std::string routes = os::shell("ip -6 route show table 1000");
  EXPECT_TRUE(routes.starts_with("unreachable default")) << routes;
  os::shell("sysctl -qw net.ipv6.conf.eth0.disable_ipv6=0");
  EXPECT_FALSE(report().is_armed());
  ASSERT_TRUE(open()->mend());
  EXPECT_TRUE(report().is_armed());
}

TEST_F(KillSwitchTest, RemembersWhatStoodWhenItWasLocked) {
  os::shell("ip addr add 192.0.2.2/24 dev eth0; ip link set eth1 up");
  os::shell("ip route add 9.9.9.0/24 via 192.0.2.1 dev eth0");
  ASSERT_TRUE(open()->change(locked()));
  EXPECT_TRUE(report().alarms.empty());
  os::shell("ip route add 0.0.0.0/1 via 192.0.2.1 dev eth0");
  ASSERT_TRUE(open()->change(locked("again")));
  const LockReport found = report();
  ASSERT_EQ(found.alarms.size(), 1u);
  EXPECT_TRUE(found.alarms.front().starts_with("route 0.0.0.0/1 via 192.0.2.1 dev eth0 came"));
  EXPECT_TRUE(found.is_armed());
}

TEST_F(KillSwitchTest, IsOneProcessesAtATime) {
  auto first = open();
  ASSERT_TRUE(first);
  std::thread waits([&] {
    // A thread has the namespace of the one that began it.
    auto second = open();
    EXPECT_TRUE(second);
    EXPECT_EQ(second->policy().holder, "first");
  });
  EXPECT_TRUE(first->change(locked("first")));
  first = fail(ErrorCode::NotFound, "given up");
  waits.join();
}

}  // namespace
}  // namespace ginnel::killswitch

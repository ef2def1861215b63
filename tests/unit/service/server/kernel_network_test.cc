#include "service/server/kernel_network.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "temporary_directory.h"
#include "unit/os/private_network.h"

namespace ginnel::server {
namespace {

using os::shell;

class KernelNetworkTest : public os::PrivateNetwork {
 protected:
  void SetUp() override {
    PrivateNetwork::SetUp();
    shell("sysctl -qw net.ipv4.ip_forward=0 net.ipv6.conf.all.forwarding=0");
    shell("ip link add wg0 type veth peer name wg0-far");
    make_pair("eth0", "eth0-far");
    shell("ip addr add 198.51.100.7/24 dev eth0 && ip route add default via 198.51.100.1");
    wishes.network = {.interface = "wg0",
                      .addresses = {net::InterfaceAddress::parse("10.200.100.1/24").value(),
                                    net::InterfaceAddress::parse("fd00:1:2:3::1/64").value()},
                      .mtu = 1420,
                      .subnet4 = net::Prefix::parse("10.200.100.0/24").value(),
                      .subnet6 = net::Prefix::parse("fd00:1:2:3::/64").value(),
                      .uplink4 = "eth0",
                      .uplink6 = "",
                      .listen_port = 51820};
  }

  Result<std::unique_ptr<KernelNetwork>> try_open(const std::string& interface = "wg0") {
    return KernelNetwork::open(directory.path(), interface);
  }
  std::unique_ptr<KernelNetwork> open() {
    auto network = try_open();
    EXPECT_TRUE(network) << network.error().message;
    return network ? std::move(*network) : nullptr;
  }
  static void apply(KernelNetwork& network, const HostWishes& wishes) {
    const Status applied = network.apply(wishes);
    EXPECT_TRUE(applied) << applied.error().message;
  }
  static std::string ruleset() { return shell("nft list ruleset"); }
  // What it may change. IPv6 link-local addresses come and go by themselves.
  static std::string host_state() {
    return ruleset() + shell(
                           "ip -4 addr show wg0; ip -6 addr show wg0 scope global; ip rule; "
                           "ip -4 route show table all; sysctl net.ipv4.ip_forward "
                           "net.ipv4.conf.all.accept_redirects net.ipv6.conf.all.forwarding");
  }
  static bool has(const std::string& text, std::string_view part) {
    return text.find(part) != std::string::npos;
  }

  TemporaryDirectory directory;
  HostWishes wishes;
};

TEST_F(KernelNetworkTest, DoesWhatIsWishedAndTakesItBack) {
  const auto network = open();
  apply(*network, wishes);
  const std::string during = host_state();
  EXPECT_TRUE(has(during, "table inet ginnel-server-wg0")) << during;
  EXPECT_TRUE(has(during, "masquerade"));
  EXPECT_TRUE(has(during, "inet 10.200.100.1/24"));
  EXPECT_TRUE(has(during, "inet6 fd00:1:2:3::1/64"));
  EXPECT_TRUE(has(during, "mtu 1420"));
  EXPECT_TRUE(has(during, "net.ipv4.ip_forward = 1"));
  EXPECT_TRUE(has(during, "net.ipv6.conf.all.forwarding = 1"));

  network->undo();
  const std::string after = host_state();
  EXPECT_FALSE(has(after, "ginnel"));
  EXPECT_FALSE(has(after, "10.200.100.1"));
  EXPECT_FALSE(has(after, "fd00:1:2:3::1"));
  EXPECT_TRUE(has(after, "net.ipv4.ip_forward = 0"));
  EXPECT_TRUE(has(after, "net.ipv6.conf.all.forwarding = 0"));
}

TEST_F(KernelNetworkTest, ItsEndTakesEverythingBack) {
  {
    apply(*open(), wishes);
  }
  EXPECT_EQ(ruleset(), "");
  EXPECT_EQ(shell("sysctl -n net.ipv4.ip_forward"), "0\n");
}

TEST_F(KernelNetworkTest, LoadsItsTableAgainOnlyWhenItMust) {
  const auto network = open();
  apply(*network, wishes);
  const auto handle = [] { return shell("nft -a list tables inet"); };
  const std::string first = handle();
  apply(*network, wishes);
  EXPECT_EQ(handle(), first);

  wishes.network.client_to_client = true;
  apply(*network, wishes);
  // By table: the kernel lists them in the order they came.
  const auto tables = [] {
    return shell("nft list table inet ginnel-server-wg0; nft list table arp ginnel-server-wg0");
  };
  const std::string changed = tables();
  EXPECT_TRUE(has(changed, "iifname \"wg0\" oifname \"wg0\" accept")) << changed;

  shell("nft flush ruleset");
  apply(*network, wishes);
  EXPECT_EQ(tables(), changed);
}

// Every one of another opinion, which is as large as it gets.
TEST_F(KernelNetworkTest, HoldsTenThousandClientsEachToRulesOfItsOwn) {
  const auto network = open();
  wishes.network.subnet4 = net::Prefix::parse("10.200.0.0/16").value();
  wishes.network.addresses[0] = net::InterfaceAddress::parse("10.200.0.1/16").value();
  for (int i = 0; i < 10'000; ++i) {
    const std::string number = fmt::format("{}.{}", i / 250, 2 + i % 250);
    const auto rule = [](const std::string& text) { return net::FlowRule::parse(text).value(); };
    wishes.network.firewall.clients.push_back(
        {.sources = {net::Prefix::parse(fmt::format("10.200.{}/32", number)).value(),
                     net::Prefix::parse(fmt::format("fd00:1:2:3::{:x}/128", 2 + i)).value()},
         .rules = {.allow = {{rule(fmt::format("172.20.{} tcp 22,80-90", number)),
                              rule("any udp 53")}}}});
  }
  apply(*network, wishes);
  EXPECT_TRUE(has(shell("nft list chain inet ginnel-server-wg0 clients_10000"), "172.20.39.251"));
  const auto handle = [] { return shell("nft -a list tables inet"); };
  const std::string first = handle();
  apply(*network, wishes);
  EXPECT_EQ(handle(), first);
}

TEST_F(KernelNetworkTest, KeepsWhatWasAppliedWhenAChangeFails) {
  const auto network = open();
  apply(*network, wishes);
  const std::string before = ruleset();
  HostWishes impossible = wishes;
  impossible.network.interface = "wg9";
  EXPECT_FALSE(network->apply(impossible));
  EXPECT_EQ(ruleset(), before);
  EXPECT_TRUE(has(shell("ip addr show wg0"), "10.200.100.1/24"));
}

TEST_F(KernelNetworkTest, LeavesNothingWhenTheFirstChangeFails) {
  const auto network = open();
  wishes.network.interface = "wg9";
  EXPECT_FALSE(network->apply(wishes));
  EXPECT_EQ(ruleset(), "");
  EXPECT_EQ(shell("sysctl -n net.ipv4.ip_forward"), "0\n");
}

TEST_F(KernelNetworkTest, OneInterfaceHasOneServer) {
  const auto network = open();
  const auto second = try_open();
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::AlreadyExists);
  EXPECT_TRUE(has(second.error().message, "process " + std::to_string(getpid())))
      << second.error().message;
  EXPECT_TRUE(try_open("wg1"));
}

TEST_F(KernelNetworkTest, RemovesWhatDeadServersLeftAndNothingElse) {
  const auto alive = open();
  apply(*alive, wishes);
  const std::string theirs = ruleset();
  shell("nft add table inet foreign '{ comment \"somebody\" ; }'");
  shell(
      "nft add table inet ginnel-server-wg5 '{ comment \"ginnel:server:wg5\" ; }';"
      "nft add chain inet foreign c; nft add rule inet foreign c counter comment "
      "'\"ginnel:server:wg5\"'");
  const auto other = try_open("wg1");
  ASSERT_TRUE(other) << other.error().message;
  const std::string after = ruleset();
  EXPECT_FALSE(has(after, "wg5")) << after;
  EXPECT_TRUE(has(after, "table inet foreign"));
  EXPECT_TRUE(has(after, theirs));
}

TEST_F(KernelNetworkTest, FindsAFirewallInTheWayAndOpensIt) {
  shell(
      "nft 'add table ip foreign; add chain ip foreign FORWARD { type filter hook forward "
      "priority 0; policy drop; }'");
  const std::string before = ruleset();
  const auto network = open();
  apply(*network, wishes);
  const auto findings = network->find_obstacles(wishes);
  ASSERT_FALSE(findings.empty());
  for (const Finding& finding : findings) {
    EXPECT_EQ(finding.code, "firewall-blocks-overlay") << finding.message;
    EXPECT_TRUE(finding.fix.starts_with("nft 'insert rule ip foreign FORWARD ")) << finding.fix;
  }

  wishes.open_firewall = true;
  apply(*network, wishes);
  EXPECT_TRUE(network->find_obstacles(wishes).empty());
  EXPECT_TRUE(has(shell("nft list table ip foreign"), "comment \"ginnel:server:wg0\""));
  network->undo();
  EXPECT_EQ(ruleset(), before);
}

TEST_F(KernelNetworkTest, NamesAFirewallThatCannotBeSeen) {
  const auto network = open();
  apply(*network, wishes);
  EXPECT_TRUE(network->find_obstacles(wishes).empty());
  shell("iptables-legacy -P FORWARD DROP");
  const auto findings = network->find_obstacles(wishes);
  ASSERT_EQ(findings.size(), 1u);
  EXPECT_EQ(findings[0].code, "firewall-unseen");
  EXPECT_TRUE(has(findings[0].message, "iptables-legacy -S")) << findings[0].message;
}

}  // namespace
}  // namespace ginnel::server

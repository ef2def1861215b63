// Firewalls as hosts have them, made with their own tools: what stands in the tunnel's way is
// found, and both cures (our one rule, the printed command) let it through.
#include "core/hostnet/firewall.h"

#include <regex>

#include "core/hostnet/nft_lower.h"
#include "core/hostnet/server_network.h"
#include "os/marked_rules.h"
#include "os/nft_list.h"
#include "unit/os/private_network.h"

namespace ginnel::os {
namespace {

using hostnet::FirewallBlock;
using hostnet::TunnelTraffic;

TunnelTraffic server_traffic() {
  return {.owner = {.role = "server", .interface = "wg0"},
          .listen_port = 51820,
          .uplink4 = "eth0",
          .uplink6 = "eth0",
          .interface_indexes = {{"lo", 1}, {"eth0", 2}, {"wg0", 9}}};
}

class FirewallTest : public PrivateNetwork {
 protected:
  void SetUp() override {
    PrivateNetwork::SetUp();
    auto opened = NftSocket::open();
    ASSERT_TRUE(opened) << opened.error().message;
    socket_.emplace(std::move(*opened));
  }
  std::vector<FirewallBlock> blocks(const TunnelTraffic& traffic = server_traffic()) {
    const auto ruleset = read_ruleset(*socket_);
    EXPECT_TRUE(ruleset) << ruleset.error().message;
    return ruleset ? hostnet::find_blocks(*ruleset, traffic) : std::vector<FirewallBlock>{};
  }
  // The ruleset, counters aside.
  static std::string ruleset() {
    return std::regex_replace(shell("nft list ruleset"), std::regex("packets \\d+ bytes \\d+"), "");
  }

  // Both cures work, and ours leaves nothing behind.
  void expect_curable(bool run_commands = true) {
    const std::string before = ruleset();
    for (const FirewallBlock& block : blocks()) {
      const Status opened = open_firewall(*socket_, block);
      EXPECT_TRUE(opened) << opened.error().message;
    }
    EXPECT_EQ(blocks().size(), 0u) << blocks().front().reason;
    // Our rules must not keep iptables from working, as a foreign expression would.
    if (before.find("table ip filter") != std::string::npos) shell("iptables -S");
    if (before.find("table ip6 filter") != std::string::npos) shell("ip6tables -S");
    const Status removed = remove_marked(*socket_, server_traffic().owner);
    EXPECT_TRUE(removed) << removed.error().message;
    EXPECT_EQ(ruleset(), before);

    if (!run_commands) return;
    for (const FirewallBlock& block : blocks()) shell(block.command);
    EXPECT_EQ(blocks().size(), 0u) << blocks().front().reason;
  }

  std::optional<NftSocket> socket_;
};

std::string families(const FirewallBlock& block) {
  std::string text;
  for (net::Family family : block.families) text += family == net::Family::V4 ? "4" : "6";
  return text;
}

std::vector<std::string> summary(const std::vector<FirewallBlock>& blocks) {
  std::vector<std::string> lines;
  for (const FirewallBlock& block : blocks) {
    lines.push_back(fmt::format("{}{} IPv{}: {}; {}", block.certain ? "" : "perhaps ",
                                hostnet::name_of(block.flow), families(block), block.reason,
                                block.command));
  }
  return lines;
}
using Lines = std::vector<std::string>;

TEST_F(FirewallTest, FindsNothingOnAHostWithoutOne) { EXPECT_EQ(summary(blocks()), Lines()); }

TEST_F(FirewallTest, FindsDockersForwardPolicyAndUsesTheChainThatDockerLeavesToItsUsers) {
  shell("iptables -P FORWARD DROP && iptables -N DOCKER-USER && iptables -N DOCKER");
  shell("iptables -A FORWARD -j DOCKER-USER");
  shell("iptables -A FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT");
  shell("iptables -A FORWARD -o docker0 -j DOCKER");
  shell("iptables -A FORWARD -i docker0 ! -o docker0 -j ACCEPT");
  shell("iptables -A DOCKER-USER -j RETURN");
  shell("iptables -t nat -A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE");
  EXPECT_EQ(summary(blocks()),
            (Lines{"traffic from the clients to the internet IPv4: chain FORWARD of table ip "
                   "filter drops it by its policy; iptables -I DOCKER-USER -i wg0 -j ACCEPT",
                   "answers from the internet to the clients IPv4: chain FORWARD of table ip "
                   "filter drops it by its policy; iptables -I DOCKER-USER -o wg0 -m conntrack "
                   "--ctstate ESTABLISHED,RELATED -j ACCEPT"}));
  expect_curable();
}

TEST_F(FirewallTest, FindsWhatIsInTheWayOfAGateway) {
  shell(
      "nft 'table inet theirs { chain f { type filter hook forward priority 0; policy drop; ct "
      "state established accept; }; chain o { type filter hook output priority 0; udp dport "
      "51820 drop; }; }'");
  TunnelTraffic traffic{.owner = {.role = "gateway", .interface = "nl"},
                        .uplink4 = "nl",
                        .uplink6 = "nl",
                        .clients = "eth1",
                        .call_port = 51820};
  EXPECT_EQ(summary(blocks(traffic)),
            (Lines{"datagrams to the tunnel's peer IPv46: a rule in chain o of table inet theirs "
                   "drops it; nft 'insert rule inet theirs o udp dport 51820 counter accept'",
                   "traffic from the clients to the internet IPv46: chain f of table inet theirs "
                   "drops it by its policy; nft 'insert rule inet theirs f iifname \"eth1\" "
                   "counter accept'"}));
  for (const FirewallBlock& block : blocks(traffic)) shell(block.command);
  EXPECT_EQ(summary(blocks(traffic)), Lines());
  shell("iptables -P FORWARD DROP");
  EXPECT_EQ(summary(blocks(traffic)),
            (Lines{"traffic from the clients to the internet IPv4: chain FORWARD of table ip "
                   "filter drops it by its policy; iptables -I FORWARD -i eth1 -j ACCEPT",
                   "answers from the internet to the clients IPv4: chain FORWARD of table ip "
                   "filter drops it by its policy; iptables -I FORWARD -o eth1 -m conntrack "
                   "--ctstate ESTABLISHED,RELATED -j ACCEPT"}));
}

TEST_F(FirewallTest, PutsItsRuleIntoForwardWhenDockersChainIsNotCalled) {
  shell("iptables -P FORWARD DROP && iptables -N DOCKER-USER");
  ASSERT_EQ(blocks().size(), 2u);
  EXPECT_EQ(blocks()[0].chain, "FORWARD");
  expect_curable();
}

TEST_F(FirewallTest, FindsTheRejectAtTheEndOfACloudImagesInput) {
  shell("iptables -A INPUT -m state --state RELATED,ESTABLISHED -j ACCEPT");
  shell("iptables -A INPUT -p icmp -j ACCEPT && iptables -A INPUT -i lo -j ACCEPT");
  shell("iptables -A INPUT -p tcp -m state --state NEW -m tcp --dport 22 -j ACCEPT");
  shell("iptables -A INPUT -j REJECT --reject-with icmp-host-prohibited");
  shell("iptables -A FORWARD -j REJECT --reject-with icmp-host-prohibited");
  EXPECT_EQ(summary(blocks()),
            (Lines{"datagrams to the tunnel's port IPv4: a rule in chain INPUT of table ip filter "
                   "rejects it; iptables -I INPUT -p udp --dport 51820 -j ACCEPT",
                   "traffic from the clients to the internet IPv4: a rule in chain FORWARD of "
                   "table ip filter rejects it; iptables -I FORWARD -i wg0 -j ACCEPT",
                   "answers from the internet to the clients IPv4: a rule in chain FORWARD of "
                   "table ip filter rejects it; iptables -I FORWARD -o wg0 -m conntrack --ctstate "
                   "ESTABLISHED,RELATED -j ACCEPT"}));
  expect_curable();
}

TEST_F(FirewallTest, SeesThatIptablesLetsThePortThrough) {
  for (const char* rule :
       {"-p udp --dport 51820", "-p udp -m udp --dport 51000:52000",
        "-p udp -m multiport --dports 53,51820", "-p udp -m multiport --dports 1:9,51000:60000",
        "-m conntrack --ctstate UNTRACKED", "-m addrtype --dst-type LOCAL", "-i eth0", "! -i lo",
        "-m comment --comment all"}) {
    SCOPED_TRACE(rule);
    shell("iptables -F && iptables -P INPUT DROP");
    EXPECT_EQ(blocks().size(), 1u);
    shell(fmt::format("iptables -A INPUT {} -j ACCEPT", rule));
    EXPECT_EQ(summary(blocks()), Lines());
  }
  for (const char* rule :
       {"-p udp --dport 51821", "-p tcp --dport 51820",
        "-p udp -m multiport --dports 53,51821:52000", "-m conntrack --ctstate NEW,ESTABLISHED",
        "-i lo", "-m addrtype --dst-type BROADCAST"}) {
    SCOPED_TRACE(rule);
    shell("iptables -F && iptables -P INPUT DROP");
    shell(fmt::format("iptables -A INPUT {} -j ACCEPT", rule));
    ASSERT_EQ(blocks().size(), 1u);
    EXPECT_TRUE(blocks()[0].certain);
  }
  for (const char* rule : {"-s 192.0.2.0/24", "-m limit --limit 5/sec", "-m hl --hl-gt 5"}) {
    SCOPED_TRACE(rule);
    shell("iptables -F && iptables -P INPUT DROP");
    if (run(fmt::format("iptables -A INPUT {} -j ACCEPT", rule)).status != 0) continue;
    ASSERT_EQ(blocks().size(), 1u);
    EXPECT_FALSE(blocks()[0].certain);
  }
}

TEST_F(FirewallTest, KnowsUfw) {
  for (const char* program : {"iptables", "ip6tables"}) {
    const std::string run = program;
    const std::string prefix = run == "iptables" ? "ufw" : "ufw6";
    for (const char* hook : {"INPUT", "FORWARD"}) {
      const std::string chain = fmt::format("{}-before-{}", prefix, hook);
      shell(fmt::format("{} -P {} DROP && {} -N {}", run, hook, run, chain));
      shell(
          fmt::format("{} -A {} -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT", run, chain));
      shell(fmt::format("{} -A {} -j {}", run, hook, chain));
    }
  }
  EXPECT_EQ(summary(blocks()),
            (Lines{"datagrams to the tunnel's port IPv4: chain INPUT of table ip filter drops it "
                   "by its policy; ufw allow 51820/udp",
                   "traffic from the clients to the internet IPv4: chain FORWARD of table ip "
                   "filter drops it by its policy; ufw route allow in on wg0",
                   "datagrams to the tunnel's port IPv6: chain INPUT of table ip6 filter drops it "
                   "by its policy; ufw allow 51820/udp",
                   "traffic from the clients to the internet IPv6: chain FORWARD of table ip6 "
                   "filter drops it by its policy; ufw route allow in on wg0"}));
  expect_curable(false);
}

TEST_F(FirewallTest, KnowsFirewalld) {
  shell(R"(nft -f - <<'END'
table inet firewalld {
  chain filter_INPUT {
    type filter hook input priority filter + 10; policy accept;
    ct state { established, related } accept
    ct status dnat accept
    iifname "lo" accept
    ct state { invalid } drop
    jump filter_INPUT_ZONES
    reject with icmpx admin-prohibited
  }
  chain filter_INPUT_ZONES {
    iifname "eth0" goto filter_IN_public
    goto filter_IN_public
  }
  chain filter_IN_public {
    jump filter_IN_public_allow
    meta l4proto { icmp, ipv6-icmp } accept
    reject with icmpx admin-prohibited
  }
  chain filter_IN_public_allow {
    tcp dport 22 accept
    ip6 daddr fe80::/64 udp dport 546 accept
  }
  chain filter_FORWARD {
    type filter hook forward priority filter + 10; policy accept;
    ct state { established, related } accept
    ct status dnat accept
    iifname "lo" accept
    ct state { invalid } drop
    reject with icmpx admin-prohibited
  }
}
END)");
  EXPECT_EQ(
      summary(blocks()),
      (Lines{"datagrams to the tunnel's port IPv46: a rule in chain filter_IN_public of table inet "
             "firewalld rejects it; firewall-cmd --add-port=51820/udp",
             "traffic from the clients to the internet IPv46: a rule in chain filter_FORWARD of "
             "table inet firewalld rejects it; firewall-cmd --zone=trusted --add-interface=wg0"}));
  expect_curable(false);
}

TEST_F(FirewallTest, FindsWhatAHandWrittenRulesetDrops) {
  shell(R"(nft -f - <<'END'
table inet filter {
  set allowed { type inet_service; flags interval; elements = { 22, 80-443 } }
  map ways { type ifname : verdict; elements = { "lo" : accept } }
  chain input {
    type filter hook input priority 0; policy drop;
    iif lo accept
    iifname vmap @ways
    ct state vmap { established : accept, related : accept, invalid : drop }
    tcp dport @allowed accept
    udp dport @allowed accept
    ip6 nexthdr icmpv6 accept
  }
  chain forward { type filter hook forward priority 0; policy drop; }
  chain output {
    type filter hook output priority 0; policy drop;
    udp dport 53 accept
    ct state new tcp dport { 80, 443 } accept
  }
}
END)");
  EXPECT_EQ(
      summary(blocks()),
      (Lines{
          "datagrams to the tunnel's port IPv46: chain input of table inet filter drops it by its "
          "policy; nft 'insert rule inet filter input udp dport 51820 counter accept'",
          "perhaps datagrams from the tunnel's port IPv46: chain output of table inet filter drops "
          "it by its policy; nft 'insert rule inet filter output udp sport 51820 counter accept'",
          "traffic from the clients to the internet IPv46: chain forward of table inet filter "
          "drops it by its policy; nft 'insert rule inet filter forward iifname \"wg0\" counter "
          "accept'",
          "answers from the internet to the clients IPv46: chain forward of table inet filter "
          "drops it by its policy; nft 'insert rule inet filter forward oifname \"wg0\" ct state "
          "established,related counter accept'"}));
  expect_curable();
}

TEST_F(FirewallTest, SeesThatAHandWrittenRulesetLetsEverythingThrough) {
  shell(R"(nft -f - <<'END'
table inet filter {
  set ports { type inet_service; flags interval; elements = { 50000-52000 } }
  chain input {
    type filter hook input priority 0; policy drop;
    iifname "eth0" meta l4proto udp jump open
  }
  chain open { udp dport @ports accept; }
  chain forward {
    type filter hook forward priority 0; policy drop;
    ct state established,related accept
    iifname { "wg0", "wg1" } oifname "eth0" accept
  }
  chain raw { type filter hook prerouting priority raw; policy accept; fib saddr . iif oif missing drop; }
}
END)");
  EXPECT_EQ(summary(blocks()), Lines());
}

TEST_F(FirewallTest, LooksForQuestionsToTheResolverOnlyWhereThereIsOne) {
  shell("iptables -P INPUT DROP && iptables -A INPUT -p udp --dport 51820 -j ACCEPT");
  EXPECT_EQ(summary(blocks()), Lines());
  TunnelTraffic traffic = server_traffic();
  traffic.answers_names = true;
  EXPECT_EQ(summary(blocks(traffic)),
            (Lines{"the clients' questions to the resolver IPv4: chain INPUT of table ip filter "
                   "drops it by its policy; iptables -I INPUT -i wg0 -p udp --dport 53 -j ACCEPT",
                   "the clients' questions to the resolver by TCP IPv4: chain INPUT of table ip "
                   "filter drops it by its policy; iptables -I INPUT -i wg0 -p tcp --dport 53 -j "
                   "ACCEPT"}));
  for (const FirewallBlock& block : blocks(traffic)) {
    const Status opened = open_firewall(*socket_, block);
    EXPECT_TRUE(opened) << opened.error().message;
  }
  EXPECT_EQ(summary(blocks(traffic)), Lines());
  shell("iptables -S");
  ASSERT_TRUE(remove_marked(*socket_, traffic.owner));
  for (const FirewallBlock& block : blocks(traffic)) shell(block.command);
  EXPECT_EQ(summary(blocks(traffic)), Lines());
}

TEST_F(FirewallTest, LooksForTrafficBetweenClientsOnlyWhenItIsWanted) {
  shell(
      "nft 'add table ip f; add chain ip f c { type filter hook forward priority 0; policy accept; "
      "}; add rule ip f c iifname wg0 oifname wg0 drop'");
  EXPECT_EQ(blocks().size(), 0u);
  TunnelTraffic traffic = server_traffic();
  traffic.client_to_client = true;
  ASSERT_EQ(blocks(traffic).size(), 1u);
  EXPECT_EQ(blocks(traffic)[0].command, "nft 'insert rule ip f c iifname \"wg0\" counter accept'");
}

TEST_F(FirewallTest, AsksOnlyForTheFamiliesInUse) {
  shell(
      "nft 'add table inet f; add chain inet f i { type filter hook input priority 0; policy drop; "
      "}; add chain inet f f { type filter hook forward priority 0; policy drop; }'");
  TunnelTraffic traffic = server_traffic();
  traffic.listen6 = false;
  traffic.forward4 = false;
  const auto found = blocks(traffic);
  ASSERT_EQ(found.size(), 3u);
  EXPECT_EQ(families(found[0]), "4");
  EXPECT_EQ(families(found[1]), "6");
}

TEST_F(FirewallTest, DoesNotTakeItsOwnTableForAForeignOneButAnotherServersItDoes) {
  hostnet::ServerNetwork network{.interface = "wg0",
                                 .subnet4 = net::Prefix::parse("10.200.100.0/24").value(),
                                 .uplink4 = "eth1",
                                 .listen_port = 51820,
                                 .only_uplink = true};
  NftBatch batch;
  ASSERT_TRUE(batch.replace_table(hostnet::server_table(network)));
  ASSERT_TRUE(socket_->commit(std::move(batch)));
  EXPECT_EQ(blocks().size(), 0u);
  TunnelTraffic other = server_traffic();
  other.owner.role = "gateway";
  EXPECT_NE(blocks(other).size(), 0u);
}

TEST_F(FirewallTest, PassesOverTablesThatAreSwitchedOff) {
  shell(
      "nft 'add table inet f { flags dormant; }; add chain inet f i { type filter hook input "
      "priority 0; policy drop; }'");
  EXPECT_EQ(blocks().size(), 0u);
}

TEST_F(FirewallTest, NamesTheCommandWhenATableIsGuarded) {
  shell(
      "nft 'add table inet f; add chain inet f i { type filter hook input priority 0; policy drop; "
      "}'");
  auto found = blocks();
  ASSERT_EQ(found.size(), 1u);
  found[0].insertable = false;
  const Status opened = open_firewall(*socket_, found[0]);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::PermissionDenied);
  EXPECT_EQ(opened.error().message,
            "table inet f is guarded by the program that made it; run: nft 'insert rule inet f i "
            "udp dport 51820 counter accept'");
}

TEST_F(FirewallTest, SaysThatIptablesLegacyCannotBeSeen) {
  EXPECT_EQ(unseen_firewall(), std::nullopt);
  if (run("iptables-legacy -P FORWARD DROP").status == 0) {
    ASSERT_NE(unseen_firewall(), std::nullopt);
    EXPECT_NE(unseen_firewall()->find("iptables-legacy -S"), std::string::npos);
  }
  EXPECT_EQ(hostnet::unseen_firewall("nat\n", ""), std::nullopt);
  EXPECT_NE(hostnet::unseen_firewall("nat\nfilter\n", "filter\n")
                ->find("iptables-legacy -S and ip6tables-legacy -S"),
            std::string::npos);
  EXPECT_NE(hostnet::unseen_firewall("", "filter\n")->find("see ip6tables-legacy -S"),
            std::string::npos);
}

TEST_F(FirewallTest, ReadsBackTheRulesThatItWrites) {
  using namespace hostnet::nft;
  const hostnet::ServerNetwork network{.interface = "wg0",
                                       .subnet4 = net::Prefix::parse("10.200.100.0/24").value(),
                                       .subnet6 = net::Prefix::parse("fd00::/64").value(),
                                       .uplink4 = "eth0",
                                       .uplink6 = "eth0",
                                       .listen_port = 51820};
  const Table table = hostnet::server_table(network);
  NftBatch batch;
  ASSERT_TRUE(batch.replace_table(table));
  ASSERT_TRUE(socket_->commit(std::move(batch)));
  const auto ruleset = read_ruleset(*socket_);
  ASSERT_TRUE(ruleset);
  ASSERT_EQ(ruleset->tables.size(), 1u);
  const ListedTable& listed = ruleset->tables[0];
  EXPECT_EQ(listed.name, table.name);
  EXPECT_EQ(listed.comment, table.comment);
  ASSERT_EQ(listed.chains.size(), table.chains.size());
  std::uint32_t next_set_id = 1;
  for (std::size_t c = 0; c < table.chains.size(); ++c) {
    EXPECT_EQ(listed.chains[c].base, table.chains[c].base);
    ASSERT_EQ(listed.chains[c].rules.size(), table.chains[c].rules.size());
    for (std::size_t r = 0; r < table.chains[c].rules.size(); ++r) {
      auto program = lower(Family::Inet, table.chains[c].rules[r], next_set_id);
      ASSERT_TRUE(program);
      std::vector<Expression> expected = program->expressions;
      std::vector<Expression> read = listed.chains[c].rules[r].expressions;
      // Anonymous sets get their names from the kernel.
      for (auto* list : {&expected, &read}) {
        for (Expression& expression : *list) {
          if (auto* lookup = std::get_if<Lookup>(&expression)) *lookup = {.is = lookup->is};
        }
      }
      EXPECT_EQ(read, expected) << "chain " << c << ", rule " << r;
    }
  }
}

class Leftovers : public FirewallTest {
 protected:
  void make(const hostnet::Owner& owner) {
    NftBatch batch;
    ASSERT_TRUE(batch.replace_table({.name = owner.table_name(), .comment = owner.mark()}));
    ASSERT_TRUE(
        batch.insert_rule({.family = hostnet::nft::Family::Ip, .table = "filter", .chain = "INPUT"},
                          {.terms = {hostnet::nft::Accept{}}, .comment = owner.mark()}));
    ASSERT_TRUE(socket_->commit(std::move(batch)));
  }
};

TEST_F(Leftovers, OfTheDeadAreRemovedAndNothingElse) {
  std::string directory = testing::TempDir() + "/ginnel_run.XXXXXX";
  ASSERT_NE(::mkdtemp(directory.data()), nullptr);
  shell("iptables -A INPUT -p udp --dport 1 -j ACCEPT");
  shell("nft add table inet theirs");
  const hostnet::Owner self{.role = "server", .interface = "wg0"};
  const hostnet::Owner alive{.role = "server", .interface = "wg1"};
  const hostnet::Owner dead{.role = "gateway", .interface = "wg2"};
  make(alive);
  const std::string wanted = ruleset();
  make(self);
  make(dead);

  auto other = SysctlClaims::open(directory, alive, SysctlTree());
  ASSERT_TRUE(other);
  auto claims = SysctlClaims::open(directory, self, SysctlTree());
  ASSERT_TRUE(claims);
  const auto removed = remove_leftovers(*socket_, *claims);
  ASSERT_TRUE(removed) << removed.error().message;
  EXPECT_EQ(removed->size(), 2u);
  EXPECT_NE(std::ranges::find(*removed, dead), removed->end());
  EXPECT_EQ(ruleset(), wanted);
  EXPECT_EQ(remove_leftovers(*socket_, *claims)->size(), 0u);
  shell("rm -r " + directory);
}

}  // namespace
}  // namespace ginnel::os

// What os/nft_compile.h sends must be what nft(8) itself makes of the printed text: the two are
// loaded into one empty namespace each, and nft lists both.
#include "os/nft_compile.h"

#include <cstdlib>
#include <regex>

#include "core/hostnet/lock_tables.h"
#include "core/hostnet/nft_print.h"
#include "core/hostnet/server_network.h"
#include "os/nft_socket.h"
#include "temporary_directory.h"
#include "unit/core/hostnet/lock_samples.h"
#include "unit/os/private_network.h"

namespace ginnel::os {
namespace {

using namespace hostnet::nft;

net::Prefix prefix(const char* text) { return net::Prefix::parse(text).value(); }
net::Address address(const char* text) { return net::Address::parse(text).value(); }

// One object a line, for a readable difference; the text shows what the JSON leaves out (comments
// of tables).
std::string ruleset() {
  std::string json = shell("nft -j list ruleset");
  json = std::regex_replace(json, std::regex(", \"handle\": [0-9]+"), "");
  json = std::regex_replace(json, std::regex("\"handle\": [0-9]+, "), "");
  json = std::regex_replace(json, std::regex("\\{\"rule\""), "\n$&") + shell("nft list ruleset");
  return std::regex_replace(json, std::regex("\"expires\": [0-9]+|expires [0-9a-z]+"), "expires");
}

class NftCompile : public PrivateNetwork {
 protected:
  Status commit(NftBatch batch) {
    auto socket = NftSocket::open();
    EXPECT_TRUE(socket);
    return socket->commit(std::move(batch));
  }
  Status apply(const Table& table) {
    NftBatch batch;
    if (Status replaced = batch.replace_table(table); !replaced) return replaced;
    return commit(std::move(batch));
  }
  // `devices` are made in both namespaces, by this command.
  void expect_same_as_nft(const Table& table, const std::string& devices = "true") {
    const Status applied = apply(table);
    ASSERT_TRUE(applied) << applied.error().message << "\n" << print(table);
    const std::string ours = ruleset();
    start_afresh();
    shell(devices);
    const TemporaryDirectory directory;
    write_contents(directory / "table.nft", print(table));
    shell("nft -f " + (directory / "table.nft"));
    EXPECT_EQ(ours, ruleset()) << print(table);
  }
};

Table with_rules(std::vector<Rule> rules, Base base = {.hook = Hook::Forward}) {
  return {.name = "t",
          .comment = "ginnel:server:wg0",
          .chains = {{.name = "c", .base = base, .rules = std::move(rules)},
                     {.name = "other", .rules = {{.terms = {Drop{}}}}}}};
}

TEST_F(NftCompile, MakesOfMatchesWhatNftMakesOfThem) {
  const std::vector<Term> matches = {
      InterfaceIs{.names = {"wg0"}},
      InterfaceIs{.direction = Direction::Out, .names = {"fifteen-charact"}, .is = Is::No},
      InterfaceIs{.names = {"lo", "wg0", "eth0"}, .is = Is::No},
      AddressIn{.prefixes = {prefix("10.200.100.0/24")}},
      AddressIn{.side = Side::Destination, .prefixes = {prefix("10.16.0.0/12")}, .is = Is::No},
      AddressIn{.prefixes = {prefix("0.0.0.0/0")}},
      AddressIn{.prefixes = {prefix("192.0.2.7/32")}},
      AddressIn{.prefixes = {prefix("::/0")}},
      AddressIn{.prefixes = {prefix("fd00:1:2:3::/64")}},
      AddressIn{.side = Side::Destination, .prefixes = {prefix("2001:db8::/61")}},
      AddressIn{.prefixes = {prefix("10.0.0.0/8"), prefix("192.168.0.0/16"), prefix("9.9.9.9/32")}},
      AddressIn{.prefixes = {prefix("10.0.0.0/24"), prefix("10.0.1.0/24")}},
      AddressIn{.prefixes = {prefix("10.0.0.0/8"), prefix("10.1.0.0/16"), prefix("11.0.0.0/8")}},
      AddressIn{.prefixes = {prefix("10.0.0.1/32"), prefix("10.0.0.2/32")}, .is = Is::No},
      AddressIn{.prefixes = {prefix("255.0.0.0/8"), prefix("0.0.0.0/8")}},
      AddressIn{.prefixes = {prefix("fd00::/8"), prefix("fe80::/10"), prefix("2001:db8::1/128")}},
      FamilyIs{net::Family::V4},
      FamilyIs{net::Family::V6},
      ProtocolIn{{Protocol::Udp}},
      ProtocolIn{{Protocol::Tcp, Protocol::Udp, Protocol::Icmp6}},
      PortIn{.ports = {PortRange::one(51820)}},
      PortIn{.protocol = Protocol::Tcp, .side = Side::Source, .ports = {{1000, 2000}}},
      PortIn{.ports = {{1, 5}}, .is = Is::No},
      PortIn{.ports = {PortRange::one(53), PortRange::one(853)}},
      PortIn{.protocol = Protocol::Tcp, .ports = {{22, 22}, {80, 90}, {91, 91}}, .is = Is::No},
      PortIn{.ports = {{60000, 65535}, {5, 6}}},
      MarkIs{.value = 0x8888},
      MarkIs{.value = 0x8800, .mask = 0xff00, .is = Is::No},
      MarkIs{.of = MarkOf::Connection, .value = 0x10},
      MarkIs{.of = MarkOf::Connection, .value = 8, .mask = 0xff},
      ConnStateIn{kEstablished | kRelated},
      ConnStateIn{kNew},
      ConnStateIn{kInvalid | kUntracked},
      ConnWayIs{ConnWay::Original},
      ConnWayIs{ConnWay::Reply},
      AddressTypeIs{.side = Side::Destination, .type = AddressType::Local},
      AddressTypeIs{.type = AddressType::Broadcast, .is = Is::No},
      IcmpTypeIn{.types = {134}},
      IcmpTypeIn{.types = {133, 134, 135, 136}},
      IcmpTypeIn{.family = net::Family::V4, .types = {8}},
      IcmpTypeIn{.family = net::Family::V4, .types = {0, 8}},
      HopLimitIs{},
      LaterFragment{net::Family::V4},
      LaterFragment{net::Family::V6},
      TcpSyn{},
      ConnWayIs{ConnWay::Reply},
      ConnAddressIn{.prefixes = {prefix("10.200.100.2/32")}},
      ConnAddressIn{.way = ConnWay::Reply, .prefixes = {prefix("10.0.0.0/8")}},
      ConnAddressIn{.way = ConnWay::Reply, .prefixes = {prefix("10.16.0.0/12")}},
      ConnAddressIn{.side = Side::Destination, .prefixes = {prefix("fd00::/8")}},
      ConnAddressIn{.way = ConnWay::Reply,
                    .prefixes = {prefix("10.0.0.0/8"), prefix("192.168.0.0/16")}},
      ConnAddressIn{.prefixes = {prefix("fd00::1/128"), prefix("fd00::2/128")}},
      ConnPortIn{.protocol = Protocol::Tcp, .way = ConnWay::Reply, .ports = {443, 443}},
      ConnPortIn{.side = Side::Destination, .ports = {5000, 6000}},
      SourceTranslated{},
      SourceTranslated{Is::No},
  };
  std::vector<Rule> rules;
  for (const Term& match : matches) {
    rules.push_back({.terms = {match, Counter{}, Accept{}}, .comment = "a comment"});
  }
  expect_same_as_nft(with_rules(std::move(rules)));
}

TEST_F(NftCompile, MakesOfStatementsWhatNftMakesOfThem) {
  const std::vector<Term> statements = {
      Counter{},
      Log{},
      Log{"gone: "},
      SetMark{.value = 0x8888},
      SetMark{.value = 0x8800, .mask = 0xff00},
      SetMark{.of = MarkOf::Connection, .value = 1},
      SetMark{.of = MarkOf::Connection, .value = 0x8800, .mask = 0xff00},
      CopyMark{.to = MarkOf::Connection},
      CopyMark{.to = MarkOf::Packet, .mask = 0xff00},
      Accept{},
      Drop{},
      Return{},
      Reject{},
      Reject{RejectWith::AdminProhibited},
      Jump{"other"},
      Goto{"other"},
  };
  std::vector<Rule> rules;
  for (const Term& statement : statements) rules.push_back({.terms = {statement}});
  rules.push_back({.terms = {TcpSyn{}, ClampMss{}}});
  expect_same_as_nft(with_rules(std::move(rules)));
}

TEST_F(NftCompile, MakesOfNamedMapsWhatNftMakesOfThem) {
  for (const bool intervals : {false, true}) {
    SCOPED_TRACE(intervals);
    start_afresh();
    Table table =
        with_rules({{.terms = {ConnAddressMap{.map = "m4"}}},
                    {.terms = {ConnAddressMap{.family = net::Family::V6, .map = "m6"}}},
                    {.terms = {ConnAddressMap{
                         .way = ConnWay::Reply, .side = Side::Destination, .map = "m4"}}}});
    table.maps = {
        {.name = "m4", .jumps = {{prefix("10.0.0.3/32"), "other"}, {prefix("10.0.0.2/32"), "one"}}},
        {.name = "m6",
         .family = net::Family::V6,
         .jumps = {{prefix("fd00::2/128"), "other"}, {prefix("fd00::3/128"), "one"}}},
        {.name = "empty"}};
    if (intervals) {
      table.maps[0].jumps.emplace_back(prefix("10.0.0.4/30"), "other");
      table.maps[0].jumps.emplace_back(prefix("255.0.0.0/8"), "other");
      table.maps[1].jumps.emplace_back(prefix("fd01::/48"), "one");
    }
    table.chains.push_back({.name = "one", .rules = {{.terms = {Accept{}}}}});
    expect_same_as_nft(table);
  }
}

TEST_F(NftCompile, MakesOfSetsThatFadeWhatNftMakesOfThem) {
  Table table = with_rules(
      {{.terms = {AddressInSet{.side = Side::Destination, .set = "asked4-53"}, Accept{}}},
       {.terms = {AddressInSet{.family = net::Family::V6, .set = "asked6"}, Accept{}}}});
  table.fading = {{.name = "asked4-53",
                   .addresses = {address("9.9.9.9"), address("192.0.2.1")},
                   .lifetime = std::chrono::seconds(20)},
                  {.name = "asked6",
                   .family = net::Family::V6,
                   .addresses = {address("2001:db8::53")},
                   .lifetime = std::chrono::seconds(100)},
                  {.name = "nobody", .lifetime = std::chrono::seconds(1)}};
  expect_same_as_nft(table);
}

TEST_F(NftCompile, MakesOfArpWhatNftMakesOfIt) {
  Table table = with_rules({{.terms = {InterfaceIs{.names = {"lo", "wg0"}, .is = Is::No},
                                       ArpTargetIn{prefix("10.200.100.0/24")}, Counter{}, Drop{}}},
                            {.terms = {ArpTargetIn{prefix("10.200.96.0/20")}, Drop{}}},
                            {.terms = {ArpTargetIn{prefix("10.200.100.1/32")}, Drop{}}}},
                           {.hook = Hook::Input});
  table.family = Family::Arp;
  expect_same_as_nft(table);
}

TEST_F(NftCompile, MakesOfPortsOfTranslationWhatNftMakesOfThem) {
  const ProtocolIn ports{{Protocol::Tcp, Protocol::Udp}};
  expect_same_as_nft(with_rules(
      {{.terms = {ports, Masquerade{.ports = PortRange{1024, 51819}, .random = true}}},
       {.terms = {ports, Masquerade{.ports = PortRange{51821, 65535}}}},
       {.terms = {Masquerade{.random = true}}}},
      {.type = ChainType::Nat, .hook = Hook::Postrouting, .priority = kPrioritySourceNat}));
  start_afresh();
  expect_same_as_nft(with_rules({{.terms = {PortIn{.ports = {PortRange::one(51820)}}, NoTrack{}}}},
                                {.hook = Hook::Prerouting, .priority = kPriorityRaw}));
}

TEST_F(NftCompile, MakesOfSeveralTermsWhatNftMakesOfThem) {
  const AddressIn from{.prefixes = {prefix("10.0.0.0/8")}};
  const AddressIn to{.side = Side::Destination, .prefixes = {prefix("10.1.1.1/32")}};
  const PortIn dns{.ports = {PortRange::one(53)}};
  expect_same_as_nft(with_rules({
      {.terms = {from, to, dns, Accept{}}},
      {.terms = {ProtocolIn{{Protocol::Udp}}, dns, Accept{}}},
      {.terms = {PortIn{.side = Side::Source, .ports = {PortRange::one(5)}}, dns, Accept{}}},
      {.terms = {from, TcpSyn{}, Accept{}}},
      {.terms = {IcmpTypeIn{.types = {134, 135}}, HopLimitIs{}, Accept{}}},
      {.terms = {InterfaceIs{.names = {"a", "b"}},
                 InterfaceIs{.direction = Direction::Out, .names = {"c"}},
                 FamilyIs{net::Family::V6}, Counter{}, Log{"x"}, Drop{}}},
  }));
}

TEST_F(NftCompile, MakesOfOtherChainsWhatNftMakesOfThem) {
  const Base nat{.type = ChainType::Nat, .hook = Hook::Postrouting, .priority = kPrioritySourceNat};
  expect_same_as_nft(with_rules(
      {
          {.terms = {InterfaceIs{.direction = Direction::Out, .names = {"eth0"}}, Masquerade{}}},
          {.terms = {AddressIn{.prefixes = {prefix("10.0.0.0/8")}},
                     SourceNat{address("192.0.2.1")}}},
          {.terms = {AddressIn{.prefixes = {prefix("fd00::/64")}},
                     SourceNat{address("2001:db8::1")}}},
      },
      nat));
  start_afresh();
  expect_same_as_nft(with_rules(
      {{.terms = {AddressTypeIs{.is = Is::No}, Drop{}}}, {.terms = {ReversePathMissing{}, Drop{}}}},
      {.hook = Hook::Prerouting, .priority = kPriorityRaw}));
  start_afresh();
  expect_same_as_nft(with_rules({{.terms = {MarkIs{.value = 1}, SetMark{.value = 2}}}},
                                {.type = ChainType::Route,
                                 .hook = Hook::Output,
                                 .priority = kPriorityMangle,
                                 .policy = Policy::Drop}));
}

TEST_F(NftCompile, MakesOfOtherFamiliesWhatNftMakesOfThem) {
  Table table = with_rules({{.terms = {AddressIn{.prefixes = {prefix("10.0.0.0/8")}},
                                       PortIn{.ports = {PortRange::one(53)}}, Reject{}}}});
  table.chains[0].rules[0].terms[2] = Accept{};
  table.family = Family::Ip;
  expect_same_as_nft(table);
  start_afresh();
  table.family = Family::Ip6;
  table.chains[0].rules[0].terms[0] = AddressIn{.prefixes = {prefix("fd00::/12")}};
  expect_same_as_nft(table);
  start_afresh();
  table.family = Family::Netdev;
  table.chains[0].base = Base{.hook = Hook::Egress, .policy = Policy::Drop, .device = "lo"};
  expect_same_as_nft(table);
}

TEST_F(NftCompile, MakesOfTheServersTableWhatNftMakesOfIt) {
  hostnet::ServerNetwork network{.interface = "wg0",
                                 .subnet4 = prefix("10.200.100.0/24"),
                                 .subnet6 = prefix("fd00:1:2:3::/64"),
                                 .uplink4 = "eth0",
                                 .uplink6 = "eth0",
                                 .listen_port = 51820};
  expect_same_as_nft(hostnet::server_table(network));
  start_afresh();
  network.client_to_client = true;
  network.only_uplink = true;
  network.uplink4.clear();
  expect_same_as_nft(hostnet::server_table(network));
  start_afresh();
  expect_same_as_nft(hostnet::server_arp_table(network));
}

TEST_F(NftCompile, MakesOfAServersClientRulesWhatNftMakesOfThem) {
  const auto rules = [](std::initializer_list<const char*> texts) {
    std::vector<net::FlowRule> list;
    for (const char* text : texts) list.push_back(net::FlowRule::parse(text).value());
    return list;
  };
  hostnet::ServerNetwork network{.interface = "wg0",
                                 .subnet4 = prefix("10.200.100.0/24"),
                                 .subnet6 = prefix("fd00:1:2:3::/64"),
                                 .listen_port = 51820};
  network.firewall = {
      .everyone = {.deny = rules({"private tcp 22,80-90", "any icmp", "fd77::1 udp"})},
      .clients = {{.sources = {prefix("10.200.100.2/32"), prefix("fd00:1:2:3::2/128")},
                   .rules = {.allow =
                                 rules({"any udp 53", "192.168.7.0/24", "10.16.0.0/12 icmp"})}},
                  {.sources = {prefix("10.200.100.3/32"), prefix("192.168.99.0/24")},
                   .rules = {.deny = rules({"9.9.9.9 tcp"})}}},
      .dns = {address("10.200.100.1"), address("fd00:1:2:3::1")}};
  network.routed = {prefix("192.168.99.0/24"), prefix("192.168.98.0/24"), prefix("fd99::/64")};
  network.admitted = rules({"192.168.7.0/24 tcp 22,80-90", "10.0.0.0/8", "fd77::1 icmp"});
  expect_same_as_nft(hostnet::server_table(network));
}

TEST_F(NftCompile, MakesOfTheLocksTablesWhatNftMakesOfThem) {
  for (hostnet::LockState state : hostnet::kLockStates) {
    hostnet::LockPolicy policy = hostnet::full_policy(state);
    // nft looks for the folder; RulesetIsLoadedAsMeant has no need of it.
    std::erase_if(policy.split, [](const auto& program) { return !program.has_user(); });
    for (Table table : hostnet::lock_tables(policy)) {
      SCOPED_TRACE(name_of(state));
      start_afresh();
      const std::string devices = "ip link add eth0 type veth peer name eth1";
      shell(devices);
      table.owned = false;  // nft cannot say it.
      expect_same_as_nft(table, devices);
    }
  }
}

TEST_F(NftCompile, SendsLongListsInSeveralMessages) {
  AddressIn match;
  for (std::size_t i = 0; i < kMaxListLength; ++i) {
    const auto high = static_cast<std::uint8_t>(i / 256);
    match.prefixes.push_back(net::Prefix::masking(
        net::Address::v6({0x20, 1, 0xd, 0xb8, high, static_cast<std::uint8_t>(i), 7}), 56));
  }
  expect_same_as_nft(with_rules({{.terms = {match, Drop{}}}}));
}

TEST_F(NftCompile, ReplacesATableInOneTransaction) {
  ASSERT_TRUE(apply(with_rules({{.terms = {Accept{}}}})));
  const Table other = with_rules({{.terms = {Drop{}}}});
  ASSERT_TRUE(apply(other));
  const std::string replaced = ruleset();
  start_afresh();
  ASSERT_TRUE(apply(other));
  EXPECT_EQ(replaced, ruleset());
}

TEST_F(NftCompile, ChangesNothingWhenTheKernelRefusesAPart) {
  ASSERT_TRUE(apply(with_rules({{.terms = {Accept{}}}})));
  const std::string before = ruleset();
  // Masquerading is for chains of type nat.
  const Status applied = apply(with_rules({{.terms = {Counter{}}}, {.terms = {Masquerade{}}}}));
  ASSERT_FALSE(applied);
  EXPECT_TRUE(applied.error().message.starts_with("add rule to t c: masquerade: "))
      << applied.error().message;
  EXPECT_EQ(before, ruleset());
}

TEST_F(NftCompile, DeletesATable) {
  ASSERT_TRUE(apply(with_rules({{.terms = {Accept{}}}})));
  NftBatch batch;
  batch.delete_table(Family::Inet, "t");
  ASSERT_TRUE(commit(std::move(batch)));
  EXPECT_EQ(shell("nft list ruleset"), "");
}

TEST_F(NftCompile, SaysWhichTableIsNotThere) {
  NftBatch batch;
  batch.delete_table(Family::Inet, "absent");
  const Status committed = commit(std::move(batch));
  ASSERT_FALSE(committed);
  EXPECT_EQ(committed.error().code, ErrorCode::NotFound);
  EXPECT_TRUE(committed.error().message.starts_with("delete table absent: "))
      << committed.error().message;
}

TEST_F(NftCompile, PutsARuleAtTheHeadOfAChain) {
  shell(
      "nft 'add table ip filter; add chain ip filter FORWARD { type filter hook forward priority "
      "0; policy drop; }; add rule ip filter FORWARD counter'");
  NftBatch batch;
  ASSERT_TRUE(batch.insert_rule({.family = Family::Ip, .table = "filter", .chain = "FORWARD"},
                                {.terms = {InterfaceIs{.names = {"wg0"}}, Counter{}, Accept{}},
                                 .comment = "ginnel:server:wg0"}));
  ASSERT_TRUE(commit(std::move(batch)));
  const std::string listed = shell("nft list chain ip filter FORWARD");
  const std::size_t ours = listed.find(
      "iifname \"wg0\" counter packets 0 bytes 0 accept comment \"ginnel:server:wg0\"\n");
  EXPECT_NE(ours, std::string::npos) << listed;
  EXPECT_LT(ours, listed.rfind("counter")) << listed;
}

TEST_F(NftCompile, DoesNothingForAnEmptyBatch) { EXPECT_TRUE(commit(NftBatch())); }

TEST_F(NftCompile, RefusesATableBeforeAnythingIsSent) {
  Table table = with_rules({{.terms = {Jump{"nowhere"}}}});
  NftBatch batch;
  EXPECT_FALSE(batch.replace_table(table));
}

}  // namespace
}  // namespace ginnel::os

#include "core/hostnet/nft_verdict.h"

#include <gtest/gtest.h>

#include "core/hostnet/nft_lower.h"

namespace ginnel::hostnet::nft {
namespace {

net::Prefix prefix(const char* text) { return net::Prefix::parse(text).value(); }
net::Address address(const char* text) { return net::Address::parse(text).value(); }

// A ruleset as if it had been listed from the kernel.
class Firewall {
 public:
  explicit Firewall(Policy policy = Policy::Accept, Hook hook = Hook::Forward) {
    table_.chains.push_back({.name = "base", .base = Base{.hook = hook, .policy = policy}});
  }
  Firewall& rule(std::vector<Term> terms, const char* chain = "base") {
    auto program = lower(Family::Inet, {.terms = std::move(terms)}, next_set_id_);
    EXPECT_TRUE(program) << program.error().message;
    for (Set& set : program->sets) {
      set.name = fmt::format("set{}", set.id);
      table_.sets.push_back(set);
    }
    for (Expression& expression : program->expressions) {
      if (auto* lookup = std::get_if<Lookup>(&expression)) {
        lookup->set = fmt::format("set{}", lookup->set_id);
      }
    }
    return expressions(std::move(program->expressions), chain);
  }
  Firewall& expressions(std::vector<Expression> list, const char* chain = "base") {
    ListedChain* found = nullptr;
    for (ListedChain& candidate : table_.chains) {
      if (candidate.name == chain) found = &candidate;
    }
    if (!found) found = &table_.chains.emplace_back(ListedChain{.name = chain});
    found->rules.push_back({.handle = ++handle_, .expressions = std::move(list)});
    return *this;
  }
  Firewall& set(Set added) {
    table_.sets.push_back(std::move(added));
    return *this;
  }
  Judgement judge(const PartialPacket& packet) const {
    return nft::judge(table_, table_.chains.front(), packet);
  }

 private:
  ListedTable table_;
  std::uint32_t next_set_id_ = 1;
  std::uint64_t handle_ = 0;
};

enum class Outcome : std::uint8_t { Passed, Dropped, PerhapsDropped };

Outcome outcome(const Judgement& judgement) {
  if (!judgement.dropped) return Outcome::Passed;
  return judgement.certain ? Outcome::Dropped : Outcome::PerhapsDropped;
}

PartialPacket from_client() {
  return {.in_interface = "wg0", .in_index = 7, .out_interface = "eth0", .out_index = 2};
}
PartialPacket handshake() {
  return {.in_interface = "eth0",
          .out_interface = "",
          .protocol = Protocol::Udp,
          .destination_port = 51820,
          .destination_type = AddressType::Local};
}

TEST(Judge, FollowsThePolicyWhenNoRuleDecides) {
  EXPECT_EQ(outcome(Firewall(Policy::Accept).judge(from_client())), Outcome::Passed);
  const Judgement dropped = Firewall(Policy::Drop).judge(from_client());
  EXPECT_EQ(outcome(dropped), Outcome::Dropped);
  EXPECT_EQ(dropped.chain, "base");
  EXPECT_FALSE(dropped.rule_handle);
}

// Under a policy of drop, whether each match lets the packet through.
TEST(Judge, KnowsWhatEachMatchMeansForThePacket) {
  const struct {
    Term match;
    PartialPacket packet;
    Outcome outcome;
  } rows[] = {
      {InterfaceIs{.names = {"wg0"}}, from_client(), Outcome::Passed},
      {InterfaceIs{.names = {"wg1"}}, from_client(), Outcome::Dropped},
      {InterfaceIs{.names = {"wg1"}, .is = Is::No}, from_client(), Outcome::Passed},
      {InterfaceIs{.names = {"lo", "wg0"}}, from_client(), Outcome::Passed},
      {InterfaceIs{.names = {"lo", "eth0"}}, from_client(), Outcome::Dropped},
      {InterfaceIs{.names = {"lo", "eth0"}, .is = Is::No}, from_client(), Outcome::Passed},
      {InterfaceIs{.direction = Direction::Out, .names = {"eth0"}}, from_client(), Outcome::Passed},
      {InterfaceIs{.names = {"eth0"}},
       {},
       Outcome::PerhapsDropped},  // It could come from anywhere.
      {AddressIn{.prefixes = {prefix("10.0.0.0/8")}}, from_client(), Outcome::PerhapsDropped},
      {AddressIn{.prefixes = {prefix("10.0.0.0/8")}},
       {.source = address("10.1.2.3")},
       Outcome::Passed},
      {AddressIn{.prefixes = {prefix("10.0.0.0/8")}},
       {.source = address("11.1.2.3")},
       Outcome::Dropped},
      {AddressIn{.prefixes = {prefix("10.16.0.0/12")}},
       {.source = address("10.31.0.1")},
       Outcome::Passed},
      {AddressIn{.prefixes = {prefix("10.16.0.0/12")}},
       {.source = address("10.32.0.1")},
       Outcome::Dropped},
      {AddressIn{.prefixes = {prefix("0.0.0.0/0")}}, from_client(), Outcome::Passed},
      {AddressIn{.prefixes = {prefix("fd00::/8")}}, from_client(), Outcome::Dropped},
      {AddressIn{.prefixes = {prefix("10.0.0.0/8"), prefix("192.168.0.0/16")}},
       {.source = address("192.168.255.255")},
       Outcome::Passed},
      {AddressIn{.prefixes = {prefix("10.0.0.0/8"), prefix("192.168.0.0/16")}},
       {.source = address("192.169.0.0")},
       Outcome::Dropped},
      {AddressIn{.prefixes = {prefix("10.0.0.0/8"), prefix("192.168.0.0/16")}}, from_client(),
       Outcome::PerhapsDropped},
      {FamilyIs{net::Family::V4}, from_client(), Outcome::Passed},
      {FamilyIs{net::Family::V6}, from_client(), Outcome::Dropped},
      {PortIn{.ports = {PortRange::one(51820)}}, handshake(), Outcome::Passed},
      {PortIn{.ports = {PortRange::one(51821)}}, handshake(), Outcome::Dropped},
      {PortIn{.ports = {{51000, 52000}}}, handshake(), Outcome::Passed},
      {PortIn{.ports = {{51821, 52000}}}, handshake(), Outcome::Dropped},
      {PortIn{.ports = {{51821, 52000}}, .is = Is::No}, handshake(), Outcome::Passed},
      {PortIn{.ports = {{22, 22}, {51820, 51820}}}, handshake(), Outcome::Passed},
      {PortIn{.ports = {{22, 22}, {50000, 51819}}}, handshake(), Outcome::Dropped},
      {PortIn{.protocol = Protocol::Tcp, .ports = {{51820, 51820}}}, handshake(), Outcome::Dropped},
      {PortIn{.protocol = Protocol::Tcp, .ports = {{22, 22}}}, from_client(),
       Outcome::PerhapsDropped},
      {PortIn{.side = Side::Source, .ports = {{53, 53}}}, handshake(), Outcome::PerhapsDropped},
      {ConnStateIn{kEstablished | kRelated}, from_client(), Outcome::Dropped},
      {ConnStateIn{kNew}, from_client(), Outcome::Passed},
      {ConnStateIn{kEstablished | kRelated}, {.state = kEstablished}, Outcome::Passed},
      {MarkIs{.value = 0}, from_client(), Outcome::Passed},
      {MarkIs{.value = 0x8800, .mask = 0xff00}, from_client(), Outcome::Dropped},
      {MarkIs{.value = 1}, {.mark = std::nullopt}, Outcome::PerhapsDropped},
      {MarkIs{.of = MarkOf::Connection, .value = 1}, from_client(), Outcome::PerhapsDropped},
      {AddressTypeIs{.side = Side::Destination}, handshake(), Outcome::Passed},
      {AddressTypeIs{.side = Side::Destination}, from_client(), Outcome::Dropped},
      {AddressTypeIs{.side = Side::Source, .type = AddressType::Multicast}, handshake(),
       Outcome::Dropped},
      {ReversePathMissing{}, from_client(), Outcome::Dropped},
      {ReversePathMissing{}, {.reverse_path = false}, Outcome::Passed},
      {TcpSyn{}, handshake(), Outcome::Dropped},
      {TcpSyn{}, from_client(), Outcome::PerhapsDropped},
      {IcmpTypeIn{.types = {134}}, handshake(), Outcome::Dropped},
      {SocketUserIs{.user = 7}, {.socket = SendingSocket{.user = 7}}, Outcome::Passed},
      {SocketUserIs{.user = 7}, {.socket = SendingSocket{.user = 8}}, Outcome::Dropped},
      {SocketUserIs{.user = 7, .is = Is::No},
       {.socket = SendingSocket{.user = 8}},
       Outcome::Passed},
      {SocketUserIs{.user = 7, .is = Is::No}, {.socket = SendingSocket{}}, Outcome::Dropped},
      {SocketUserIs{.user = 7}, from_client(), Outcome::PerhapsDropped},
      {SocketCgroupIs{.path = "a/b", .id = 5},
       {.socket = SendingSocket{.cgroups = {4, 5, 6}}},
       Outcome::Passed},
      {SocketCgroupIs{.path = "a/b", .id = 5},
       {.socket = SendingSocket{.cgroups = {5, 4}}},
       Outcome::Dropped},
      {SocketCgroupIs{.path = "a/b", .id = 5},
       {.socket = SendingSocket{.cgroups = {5}}},
       Outcome::Dropped},
      {SocketCgroupIs{.path = "a/b", .id = 5}, from_client(), Outcome::PerhapsDropped},
      {LaterFragment{net::Family::V4}, {.later_fragment = true}, Outcome::Passed},
      {LaterFragment{net::Family::V4}, from_client(), Outcome::Dropped},
      {LaterFragment{net::Family::V6},
       {.family = net::Family::V6, .later_fragment = true},
       Outcome::Passed},
      {LaterFragment{net::Family::V6}, {.family = net::Family::V6}, Outcome::Dropped},
      {PortIn{.ports = {PortRange::one(51820)}, .is = Is::No},
       {.protocol = Protocol::Udp, .later_fragment = true},
       Outcome::Dropped},  // It has no ports.
  };
  for (std::size_t i = 0; auto& row : rows) {
    SCOPED_TRACE(testing::Message() << "row " << i++);
    EXPECT_EQ(outcome(Firewall(Policy::Drop).rule({row.match, Accept{}}).judge(row.packet)),
              row.outcome);
  }
}

TEST(Judge, StopsAtTheFirstRuleThatDecides) {
  const InterfaceIs tunnel{.names = {"wg0"}};
  EXPECT_EQ(outcome(Firewall().rule({tunnel, Drop{}}).rule({Accept{}}).judge(from_client())),
            Outcome::Dropped);
  EXPECT_EQ(outcome(Firewall().rule({Accept{}}).rule({tunnel, Drop{}}).judge(from_client())),
            Outcome::Passed);
  const Judgement rejected = Firewall().rule({Counter{}}).rule({Reject{}}).judge(from_client());
  EXPECT_TRUE(rejected.dropped && rejected.rejected);
  EXPECT_EQ(rejected.rule_handle, 2u);
}

TEST(Judge, FollowsJumpsAndReturnsFromThem) {
  const auto firewall = [](Term call, Term verdict) {
    return Firewall(Policy::Drop)
        .rule({std::move(call)})
        .rule({Accept{}})
        .rule({std::move(verdict)}, "sub");
  };
  EXPECT_EQ(outcome(firewall(Jump{"sub"}, Counter{}).judge(from_client())), Outcome::Passed);
  EXPECT_EQ(outcome(firewall(Jump{"sub"}, Return{}).judge(from_client())), Outcome::Passed);
  EXPECT_EQ(outcome(firewall(Jump{"sub"}, Drop{}).judge(from_client())), Outcome::Dropped);
  EXPECT_EQ(firewall(Jump{"sub"}, Drop{}).judge(from_client()).chain, "sub");
  // From a goto the packet does not come back to the rules behind it.
  EXPECT_EQ(outcome(firewall(Goto{"sub"}, Counter{}).judge(from_client())), Outcome::Dropped);
  EXPECT_EQ(outcome(firewall(Goto{"sub"}, Accept{}).judge(from_client())), Outcome::Passed);
}

TEST(Judge, IsUncertainAboutWhatMightAcceptAndPassesOverWhatMightDrop) {
  const Opaque riddle{.kind = Opaque::Kind::Match, .name = "riddle"};
  const Verdict accept;
  const Verdict drop{.kind = VerdictKind::Drop};
  EXPECT_EQ(outcome(Firewall(Policy::Drop).expressions({riddle, accept}).judge(from_client())),
            Outcome::PerhapsDropped);
  EXPECT_EQ(outcome(Firewall(Policy::Drop).expressions({riddle, drop}).judge(from_client())),
            Outcome::Dropped);
  EXPECT_EQ(outcome(Firewall().expressions({riddle, drop}).judge(from_client())), Outcome::Passed);
  EXPECT_EQ(outcome(Firewall(Policy::Drop)
                        .expressions({riddle, Verdict{VerdictKind::Jump, "sub"}})
                        .expressions({accept}, "sub")
                        .judge(from_client())),
            Outcome::PerhapsDropped);
  const Opaque terminal{.kind = Opaque::Kind::Terminal, .name = "NFQUEUE"};
  EXPECT_EQ(outcome(Firewall(Policy::Drop).expressions({terminal}).judge(from_client())),
            Outcome::PerhapsDropped);
  const Opaque statement{.kind = Opaque::Kind::Statement, .name = "LOG"};
  EXPECT_EQ(outcome(Firewall(Policy::Drop).expressions({statement}).judge(from_client())),
            Outcome::Dropped);
}

TEST(Judge, ForgetsRegistersThatSomethingUnknownMayHaveLoaded) {
  const Opaque riddle{.kind = Opaque::Kind::Match, .name = "numgen"};
  EXPECT_EQ(outcome(Firewall(Policy::Drop)
                        .expressions({LoadMeta{.key = MetaKey::NfProto}, riddle,
                                      Compare{.value = {10}}, Verdict{}})
                        .judge(from_client())),
            Outcome::PerhapsDropped);
}

TEST(Judge, KnowsInterfacesByNumber) {
  const auto by_number = [](std::uint32_t index) {
    Bytes value(sizeof index);
    std::memcpy(value.data(), &index, sizeof index);
    return Firewall(Policy::Drop)
        .expressions({LoadMeta{.key = MetaKey::InIndex}, Compare{.value = value}, Verdict{}});
  };
  EXPECT_EQ(outcome(by_number(7).judge(from_client())), Outcome::Passed);
  EXPECT_EQ(outcome(by_number(1).judge(from_client())), Outcome::Dropped);
  EXPECT_EQ(outcome(by_number(1).judge({})), Outcome::PerhapsDropped);
}

TEST(Judge, FollowsVerdictMaps) {
  const auto padded = [](std::string_view name) {
    Bytes key(16, 0);
    std::ranges::copy(name, key.begin());
    return key;
  };
  const Set map{
      .name = "zones",
      .key_length = 16,
      .elements = {{.key = padded("eth0"), .verdict = Verdict{VerdictKind::Drop}},
                   {.key = padded("wg0"), .verdict = Verdict{VerdictKind::Goto, "ours"}}}};
  Firewall firewall(Policy::Drop);
  firewall.set(map)
      .expressions({LoadMeta{.key = MetaKey::InName}, Lookup{.set = "zones", .verdict_map = true}})
      .expressions({Verdict{}}, "ours");
  EXPECT_EQ(outcome(firewall.judge(from_client())), Outcome::Passed);
  EXPECT_EQ(outcome(firewall.judge({.in_interface = "eth0"})), Outcome::Dropped);
  EXPECT_EQ(outcome(firewall.judge({.in_interface = "lo"})),
            Outcome::Dropped);  // Not in it: the policy.
  EXPECT_EQ(outcome(firewall.judge({})), Outcome::PerhapsDropped);
}

TEST(Judge, CannotTellWhatIsInASetThatItCannotRead) {
  const Set set{.name = "many", .key_length = 4, .readable = false};
  EXPECT_EQ(outcome(Firewall(Policy::Drop)
                        .set(set)
                        .expressions({LoadPayload{.offset = 12, .length = 4}, Lookup{.set = "many"},
                                      Verdict{}})
                        .judge({.source = address("10.0.0.1")})),
            Outcome::PerhapsDropped);
  const Set empty{.name = "banned", .key_length = 4};
  EXPECT_EQ(outcome(Firewall()
                        .set(empty)
                        .expressions({LoadPayload{.offset = 12, .length = 4},
                                      Lookup{.set = "banned"}, Verdict{VerdictKind::Drop}})
                        .judge({})),
            Outcome::Passed);
}

TEST(Judge, RemembersTheMarkThatARuleSets) {
  EXPECT_EQ(outcome(Firewall(Policy::Drop)
                        .rule({SetMark{.value = 5}})
                        .rule({MarkIs{.value = 5}, Accept{}})
                        .judge(from_client())),
            Outcome::Passed);
  EXPECT_EQ(outcome(Firewall(Policy::Drop)
                        .rule({CopyMark{.to = MarkOf::Packet}})
                        .rule({MarkIs{.value = 5}, Accept{}})
                        .judge(from_client())),
            Outcome::PerhapsDropped);
}

TEST(Judge, ReadsTheMatchesOfIptables) {
  const Verdict accept;
  const struct {
    Expression match;
    Outcome outcome;
  } rows[] = {
      {XtConnState{.states = kNew}, Outcome::Passed},
      {XtConnState{.states = kNew, .is = Is::No}, Outcome::Dropped},
      {XtConnState{.states = kEstablished | kRelated}, Outcome::Dropped},
      {XtPorts{.ports = {{51820, 51820}}}, Outcome::Passed},
      {XtPorts{.ports = {{1, 5}, {7, 7}}}, Outcome::Dropped},
      {XtPorts{.ports = {{1, 5}}, .is = Is::No}, Outcome::Passed},
      {XtPorts{.side = Side::Source, .ports = {{1, 5}}}, Outcome::PerhapsDropped},
      {XtPorts{.either_side = true, .ports = {{1, 5}}}, Outcome::PerhapsDropped},
      {XtAddressType{.destination = 1 << 2}, Outcome::Passed},
      {XtAddressType{.destination = 1 << 3 | 1 << 5}, Outcome::Dropped},
      {XtAddressType{.source = 1 << 2}, Outcome::Dropped},
  };
  for (std::size_t i = 0; const auto& row : rows) {
    SCOPED_TRACE(testing::Message() << "row " << i++);
    EXPECT_EQ(outcome(Firewall(Policy::Drop).expressions({row.match, accept}).judge(handshake())),
              row.outcome);
  }
}

TEST(Judge, SurvivesChainsThatCallEachOtherForEver) {
  const Firewall loop =
      Firewall(Policy::Drop).rule({Jump{"a"}}).rule({Jump{"b"}}, "a").rule({Jump{"a"}}, "b");
  EXPECT_EQ(outcome(loop.judge(from_client())), Outcome::PerhapsDropped);
  // Two calls at each of sixteen depths are 65,536 ways; many more must end too.
  Firewall wide(Policy::Drop);
  for (int depth = 0; depth < 14; ++depth) {
    const std::string chain = depth == 0 ? "base" : fmt::format("c{}", depth);
    for (int i = 0; i < 8; ++i) wide.rule({Jump{fmt::format("c{}", depth + 1)}}, chain.c_str());
  }
  wide.rule({Counter{}}, "c14");
  EXPECT_FALSE(wide.judge(from_client()).certain);
}

TEST(Judge, SurvivesExpressionsThatReachOutsideTheRegisters) {
  const Bytes wide(200, 1);
  const Verdict accept;
  const std::vector<Expression> strange[] = {
      {LoadPayload{.offset = 0xffffffff, .length = 0xffffffff, .to = 60}, accept},
      {LoadPayload{.offset = 60, .length = 5, .to = 62}, accept},
      {LoadImmediate{.to = 63, .value = wide}, Compare{.from = 63, .value = wide}, accept},
      {Bitwise{.from = 250, .to = 250, .mask = wide, .flip = wide}, accept},
      {Bitwise{.mask = {1, 2}, .flip = {1}}, accept},
      {InRange{.first = wide, .last = {1}}, accept},
      {Compare{.with = CompareWith::Less, .from = 200, .value = wide}, accept},
      {Lookup{.set = "absent"}, accept},
      {Verdict{VerdictKind::Jump, "absent"}},
  };
  for (const auto& expressions : strange) {
    (void)Firewall(Policy::Drop).expressions(expressions).judge(from_client());
  }
}

}  // namespace
}  // namespace ginnel::hostnet::nft

#include "core/hostnet/nft_lower.h"

#include <gtest/gtest.h>

namespace ginnel::hostnet::nft {
namespace {

net::Prefix prefix(const char* text) { return net::Prefix::parse(text).value(); }

Result<Program> lower_one(const Term& term, Family family = Family::Inet) {
  std::uint32_t next_set_id = 1;
  return lower(family, {.terms = {term}}, next_set_id);
}

TEST(NftLower, TestsForTheFamilyAndProtocolOfAFieldOnceInARule) {
  std::uint32_t next_set_id = 1;
  const Rule rule{
      .terms = {AddressIn{.prefixes = {prefix("10.0.0.0/8")}},
                AddressIn{.side = Side::Destination, .prefixes = {prefix("10.1.1.1/32")}},
                PortIn{.ports = {PortRange::one(5)}},
                PortIn{.side = Side::Source, .ports = {PortRange::one(6)}}}};
  const auto program = lower(Family::Inet, rule, next_set_id);
  ASSERT_TRUE(program);
  const std::vector<Expression> expected = {
      LoadMeta{.key = MetaKey::NfProto},
      Compare{.value = {2}},
      LoadPayload{.offset = 12, .length = 1},
      Compare{.value = {10}},
      LoadPayload{.offset = 16, .length = 4},
      Compare{.value = {10, 1, 1, 1}},
      LoadMeta{.key = MetaKey::L4Proto},
      Compare{.value = {17}},
      LoadPayload{.base = PayloadBase::Transport, .offset = 2, .length = 2},
      Compare{.value = {0, 5}},
      LoadPayload{.base = PayloadBase::Transport, .offset = 0, .length = 2},
      Compare{.value = {0, 6}},
  };
  EXPECT_EQ(program->expressions, expected);
  EXPECT_TRUE(program->sets.empty());
}

TEST(NftLower, NeedsNoFamilyTestInATableOfOneFamilyAndAnotherOneOnADevice) {
  const Term host = AddressIn{.prefixes = {prefix("10.0.0.0/8")}};
  EXPECT_EQ(lower_one(host, Family::Ip)->expressions.size(), 2u);
  const auto device = lower_one(host, Family::Netdev);
  ASSERT_TRUE(device);
  EXPECT_EQ(device->expressions.at(0), Expression(LoadMeta{.key = MetaKey::Protocol}));
  EXPECT_EQ(device->expressions.at(1), Expression(Compare{.value = {0x08, 0x00}}));
}

TEST(NftLower, MasksPrefixesThatEndInsideAByte) {
  const auto program = lower_one(AddressIn{.prefixes = {prefix("10.16.0.0/12")}}, Family::Ip);
  ASSERT_TRUE(program);
  const std::vector<Expression> expected = {
      LoadPayload{.offset = 12, .length = 4},
      Bitwise{.mask = {255, 240, 0, 0}, .flip = {0, 0, 0, 0}},
      Compare{.value = {10, 16, 0, 0}},
  };
  EXPECT_EQ(program->expressions, expected);
}

TEST(NftLower, MakesIntervalsThatTouchOneAndLeavesTheLastOpen) {
  const auto program = lower_one(
      AddressIn{.prefixes = {prefix("255.0.0.0/8"), prefix("10.0.1.0/24"), prefix("10.0.0.0/24")}},
      Family::Ip);
  ASSERT_TRUE(program);
  ASSERT_EQ(program->sets.size(), 1u);
  const std::vector<SetElement> expected = {
      {.key = {10, 0, 0, 0}},
      {.key = {10, 0, 2, 0}, .interval_end = true},
      {.key = {255, 0, 0, 0}},
  };
  EXPECT_EQ(program->sets[0].elements, expected);
  EXPECT_TRUE(program->sets[0].interval);
}

TEST(NftLower, NumbersTheSetsOfATransactionThrough) {
  std::uint32_t next_set_id = 7;
  const Rule rule{.terms = {InterfaceIs{.names = {"a", "b"}}, PortIn{.ports = {{1, 1}, {3, 3}}}}};
  const auto program = lower(Family::Inet, rule, next_set_id);
  ASSERT_TRUE(program);
  ASSERT_EQ(program->sets.size(), 2u);
  EXPECT_EQ(program->sets[0].id, 7u);
  EXPECT_EQ(program->sets[1].id, 8u);
  EXPECT_EQ(next_set_id, 9u);
}

TEST(NftLower, RefusesProtocolsThatExcludeEachOther) {
  std::uint32_t next_set_id = 1;
  const PortIn udp{.ports = {PortRange::one(53)}};
  EXPECT_TRUE(lower(Family::Inet, {.terms = {ProtocolIn{{Protocol::Udp}}, udp}}, next_set_id));
  EXPECT_FALSE(lower(Family::Inet, {.terms = {udp, TcpSyn{}}}, next_set_id));
  EXPECT_FALSE(
      lower(Family::Inet, {.terms = {FamilyIs{net::Family::V4}, HopLimitIs{}}}, next_set_id));
}

std::vector<PortRange> every_second_port(std::size_t count) {
  std::vector<PortRange> ports;
  for (std::size_t i = 0; i < count; ++i) {
    ports.push_back(PortRange::one(static_cast<std::uint16_t>(2 * i)));
  }
  return ports;
}

TEST(NftLower, RefusesListsThatAreEmptyOrTooLong) {
  const struct {
    std::size_t members;
    bool accepted;
  } rows[] = {{0, false}, {1, true}, {kMaxListLength, true}, {kMaxListLength + 1, false}};
  for (const auto& row : rows) {
    SCOPED_TRACE(row.members);
    EXPECT_EQ(lower_one(PortIn{.ports = every_second_port(row.members)}).has_value(), row.accepted);
  }
}

TEST(NftLower, RefusesNamesThatAreEmptyOrTooLong) {
  const struct {
    std::size_t length;
    bool accepted;
  } rows[] = {{0, false}, {1, true}, {kMaxInterfaceLength, true}, {kMaxInterfaceLength + 1, false}};
  for (const auto& row : rows) {
    SCOPED_TRACE(row.length);
    EXPECT_EQ(lower_one(InterfaceIs{.names = {std::string(row.length, 'x')}}).has_value(),
              row.accepted);
  }
}

TEST(NftLower, RefusesWhatOneRuleCannotMean) {
  const struct {
    Term term;
    Family family;
    const char* message;
  } rows[] = {
      {AddressIn{.prefixes = {prefix("10.0.0.0/8"), prefix("fd00::/64")}}, Family::Inet,
       "address: 10.0.0.0/8 and fd00::/64 in one list; write one rule for each family"},
      {AddressIn{.prefixes = {prefix("fd00::/64")}}, Family::Ip,
       "IPv4 and IPv6 in one rule; write one for each"},
      {AddressIn{.prefixes = {prefix("10.0.0.0/8")}}, Family::Ip6,
       "IPv4 and IPv6 in one rule; write one for each"},
      {PortIn{.ports = {{9, 1}}}, Family::Inet, "port: the range 9-1 is the wrong way round"},
      {SocketCgroupIs{.path = ""}, Family::Inet,
       "cgroup \"\": name one that is 1 to 255 levels below the root"},
      {Log{std::string(kMaxLogPrefixLength + 1, 'x')}, Family::Inet,
       "log prefix: over 126 characters"},
  };
  for (const auto& row : rows) {
    const auto program = lower_one(row.term, row.family);
    ASSERT_FALSE(program) << row.message;
    EXPECT_EQ(program.error().message, row.message);
  }
}

Table table_with_rule(Rule rule) {
  return {.name = "t", .chains = {{.name = "c", .rules = {std::move(rule)}}}};
}

TEST(NftCheckNames, BoundsNamesAndComments) {
  EXPECT_TRUE(check_names({.name = std::string(kMaxNameLength, 'x')}));
  EXPECT_FALSE(check_names({.name = std::string(kMaxNameLength + 1, 'x')}));
  EXPECT_FALSE(check_names({.name = ""}));
  EXPECT_TRUE(check_names({.name = "t", .comment = std::string(kMaxCommentLength, 'x')}));
  EXPECT_FALSE(check_names({.name = "t", .comment = std::string(kMaxCommentLength + 1, 'x')}));
  EXPECT_FALSE(check_names({.name = "t", .chains = {{.name = ""}}}));
  EXPECT_TRUE(check_names(table_with_rule({.comment = std::string(kMaxCommentLength, 'x')})));
  EXPECT_FALSE(check_names(table_with_rule({.comment = std::string(kMaxCommentLength + 1, 'x')})));
}

TEST(NftCheckNames, FindsJumpsToNowhere) {
  EXPECT_TRUE(check_names(table_with_rule({.terms = {Jump{"c"}}})));
  const Status checked = check_names(table_with_rule({.terms = {Goto{"elsewhere"}}}));
  ASSERT_FALSE(checked);
  EXPECT_EQ(checked.error().message, "rule \"goto elsewhere\": table t has no chain elsewhere");
}

TEST(NftCheckNames, WantsTheSetsThatRulesName) {
  Table table = table_with_rule({.terms = {AddressInSet{.set = "asked"}}});
  EXPECT_EQ(check_names(table).error().message,
            "rule \"ip saddr @asked\": table t has no such set asked");
  table.fading = {{.name = "asked", .family = net::Family::V6}};
  EXPECT_FALSE(check_names(table));
  table.fading[0].family = net::Family::V4;
  EXPECT_TRUE(check_names(table));
  table.fading[0].addresses = {prefix("fd00::/64").address()};
  EXPECT_EQ(check_names(table).error().message, "set asked: fd00:: is of the other family");
  table.fading[0].addresses.assign(kMaxListLength, prefix("10.0.0.0/8").address());
  EXPECT_TRUE(check_names(table));
  table.fading[0].addresses.push_back(prefix("10.0.0.0/8").address());
  EXPECT_FALSE(check_names(table));
}

}  // namespace
}  // namespace ginnel::hostnet::nft

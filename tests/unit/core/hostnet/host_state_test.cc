#include "core/hostnet/host_state.h"

#include <gtest/gtest.h>

namespace ginnel::hostnet {
namespace {

net::Prefix prefix(const char* text) { return net::Prefix::parse(text).value(); }
net::Address address(const char* text) { return net::Address::parse(text).value(); }

TEST(Route, IsWrittenAsIpDoes) {
  const struct {
    Route route;
    const char* text;
  } rows[] = {
      {{.destination = prefix("10.0.0.0/8"), .interface = "eth0"}, "10.0.0.0/8 dev eth0"},
      {{.destination = prefix("0.0.0.0/0"),
        .gateway = address("192.0.2.1"),
        .interface = "eth0",
        .metric = 100,
        .source = address("192.0.2.7")},
       "default via 192.0.2.1 dev eth0 src 192.0.2.7 metric 100"},
      {{.destination = prefix("::/0"), .table = 1000, .type = RouteType::Unreachable},
       "unreachable default table 1000"},
  };
  for (const auto& row : rows) EXPECT_EQ(row.route.to_string(), row.text);
}

TEST(RoutingRule, IsWrittenAsIpDoes) {
  const struct {
    RoutingRule rule;
    const char* text;
  } rows[] = {
      {{.priority = 10, .mark = 0x8888, .mark_mask = 0xffffffff, .inverted = true, .table = 1000},
       "10: not from all fwmark 0x8888 lookup 1000"},
      {{.priority = 5, .from = prefix("10.0.0.0/24"), .to = prefix("10.1.0.0/16"), .table = 254},
       "5: from 10.0.0.0/24 to 10.1.0.0/16 lookup 254"},
      {{.priority = 11, .mark = 0x8800, .mark_mask = 0xff00, .action = RuleAction::Unreachable},
       "11: from all fwmark 0x8800/0xff00 unreachable"},
      {{.priority = 6,
        .in_interface = "eth1",
        .out_interface = "wg0",
        .table = 7,
        .suppress_prefix_length = 0},
       "6: from all iif eth1 oif wg0 lookup 7 suppress_prefixlength 0"},
  };
  for (const auto& row : rows) EXPECT_EQ(row.rule.to_string(), row.text);
}

std::vector<Link> links_named(std::vector<std::string> names) {
  std::vector<Link> links;
  for (std::string& name : names) links.push_back({.name = std::move(name)});
  return links;
}

TEST(FirstFreeName, FillsTheFirstGap) {
  EXPECT_EQ(first_free_name({}, "wg"), "wg0");
  EXPECT_EQ(first_free_name(links_named({"lo", "wg1"}), "wg"), "wg0");
  EXPECT_EQ(first_free_name(links_named({"wg0", "wg2", "wg1"}), "wg"), "wg3");
}

TEST(FirstFreeName, GivesUpAfterFourThousand) {
  std::vector<std::string> names;
  for (int i = 0; i < 4095; ++i) names.push_back(fmt::format("wg{}", i));
  EXPECT_EQ(first_free_name(links_named(names), "wg"), "wg4095");
  names.push_back("wg4095");
  const auto name = first_free_name(links_named(names), "wg");
  ASSERT_FALSE(name);
  EXPECT_EQ(name.error().code, ErrorCode::Exhausted);
}

}  // namespace
}  // namespace ginnel::hostnet

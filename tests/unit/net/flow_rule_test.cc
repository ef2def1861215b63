#include "net/flow_rule.h"

#include <gtest/gtest.h>

namespace ginnel::net {
namespace {

TEST(FlowRule, IsReadAndWrittenAgain) {
  struct Row {
    std::string_view text;
    std::string_view written;
  };
  const Row rows[] = {
      {"192.168.7.0/24", "192.168.7.0/24"},
      {"192.168.7.1/32", "192.168.7.1"},
      {"192.168.7.1  tcp   22", "192.168.7.1 tcp 22"},
      {"fd00::/8 udp 53,5000-6000", "fd00::/8 udp 53,5000-6000"},
      {"any", "any"},
      {"any icmp", "any icmp"},
      {"private tcp", "private tcp"},
      {"any tcp 1,65535", "any tcp 1,65535"},
      {"any tcp 80-80", "any tcp 80"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.text);
    const auto rule = FlowRule::parse(row.text);
    ASSERT_TRUE(rule) << rule.error().message;
    EXPECT_EQ(rule->to_string(), row.written);
    EXPECT_EQ(FlowRule::parse(row.written), *rule);
  }
}

TEST(FlowRule, SaysWhatIsWrong) {
  struct Row {
    std::string_view text;
    std::string_view named;
  };
  const Row rows[] = {
      {"", "like 192.168.7.0/24 tcp 22,80-90"},
      {"any tcp 22 80", "like 192.168.7.0/24 tcp 22,80-90"},
      {"lan", "any or private"},
      {"192.168.7.9/24", "192.168.7.0/24"},
      {"any sctp", "tcp, udp or icmp"},
      {"any 53", "tcp, udp or icmp"},
      {"any icmp 8", "tcp or udp only"},
      {"any tcp 0", "\"0\" is no port"},
      {"any tcp 65536", "\"65536\" is no port"},
      {"any tcp 90-80", "\"90-80\" is no port"},
      {"any tcp 22,", "\"\" is no port"},
      {"any tcp 1-2-3", "\"1-2-3\" is no port"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.text);
    const auto rule = FlowRule::parse(row.text);
    ASSERT_FALSE(rule);
    EXPECT_NE(rule.error().message.find(row.named), std::string::npos) << rule.error().message;
  }
}

TEST(FlowRule, HasBoundsForPortsAndLength) {
  std::string ports = "1";
  for (std::size_t i = 2; i <= FlowRule::kMaxPorts; ++i) ports += "," + std::to_string(i);
  EXPECT_EQ(FlowRule::parse("any tcp " + ports)->ports.size(), FlowRule::kMaxPorts);
  EXPECT_EQ(FlowRule::parse("any tcp " + ports + ",99").error().code, ErrorCode::Exhausted);

  const std::string spaces(FlowRule::kMaxTextSize - 3, ' ');
  EXPECT_TRUE(FlowRule::parse("any" + spaces));
  EXPECT_EQ(FlowRule::parse("any " + spaces).error().code, ErrorCode::Exhausted);
}

TEST(FlowRule, PrivateIsWhatAddressesCallSo) {
  const auto prefixes = FlowRule::parse("private")->prefixes();
  const auto is_listed = [&](std::string_view text) {
    const Address address = Address::parse(text).value();
    return std::ranges::any_of(prefixes, [&](const Prefix& p) { return p.contains(address); });
  };
  for (const char* text : {"10.255.0.1", "172.16.0.1", "172.31.255.255", "192.168.0.1",
                           "100.64.0.1", "169.254.9.9", "fd00::1", "fe80::1"}) {
    EXPECT_TRUE(is_listed(text)) << text;
    EXPECT_TRUE(Address::parse(text)->is_private()) << text;
  }
  for (const char* text : {"9.9.9.9", "172.32.0.1", "100.128.0.1", "2001:db8::1"}) {
    EXPECT_FALSE(is_listed(text)) << text;
  }
}

}  // namespace
}  // namespace ginnel::net

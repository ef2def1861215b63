#include "core/config/stock_values.h"

#include <gtest/gtest.h>

namespace ginnel::config {
namespace {

std::string text_of(const std::optional<net::Address>& address) {
  return address ? address->to_string() : "";
}

// Measured with ip(8) 6.1; tests/netns/up_takes_odd_values_as_wg_quick_does.sh compares.
TEST(IpToolAddress, HasNumbersOfAnyBase) {
  const std::pair<std::string, std::string> rows[] = {
      {"10.0.0.1", "10.0.0.1"},
      {"10", "10.0.0.0"},
      {"10.7", "10.7.0.0"},
      {"010.0.0.1", "8.0.0.1"},
      {"0x0a.0.0.1", "10.0.0.1"},
      {"+10.-0.0.1", "10.0.0.1"},
      {"0377.255.0.0", "255.255.0.0"},
      {"fd00::0010.1", ""},
      {"FD00::0007", "fd00::7"},
      {"", ""},
      {".", ""},
      {"10.", ""},
      {"10..1", ""},
      {"10.0.0.256", ""},
      {"0400", ""},
      {"08.0.0.1", ""},
      {"0x.0.0.1", ""},
      {"1.2.3.4.5", ""},
      {"-1.0.0.1", ""},
      {"4294967306.0.0.1", ""},
      {"18446744073709551616.0.0.1", ""},
      {"fd00:::1", ""},
      {"a.b", ""},
  };
  for (const auto& [text, address] : rows)
    EXPECT_EQ(text_of(ip_tool_address(text)), address) << text;
}

TEST(IpToolLength, IsANumberOrAMask) {
  constexpr unsigned kNone = 4711;
  const std::pair<std::string, unsigned> rows[] = {
      {"0", 0},
      {"24", 24},
      {"030", 24},
      {"0x18", 24},
      {"+24", 24},
      {"-0", 0},
      {"128", 128},
      {"4294967295", UINT32_MAX},
      {"4294967296", kNone},
      {"255.255", 16},
      {"255.255.0377.0", 24},
      {"0.0.0.0", 0},
      {"any", 0},
      {"all", 0},
      {"default", 0},
      {"255.0.255.0", kNone},
      {"", kNone},
      {"24/24", kNone},
      {"-1", kNone},
      {"ANY", kNone},
      {"ffff::", kNone},
  };
  for (const auto& [text, length] : rows)
    EXPECT_EQ(ip_tool_length(text).value_or(kNone), length) << text;
}

// Where the last number stands for all that is left, unlike with ip(8).
TEST(ResolverAddress, IsThatOfInetAton) {
  const std::pair<std::string, std::string> rows[] = {
      {"10.0.0.1", "10.0.0.1"},
      {"10.1", "10.0.0.1"},
      {"10.1.2", "10.1.0.2"},
      {"010.0.0.1", "8.0.0.1"},
      {"0xa.0x1", "10.0.0.1"},
      {"0xa000001", "10.0.0.1"},
      {"4294967295", "255.255.255.255"},
      {"10.16777215", "10.255.255.255"},
      {"10.1.65535", "10.1.255.255"},
      {"0", "0.0.0.0"},
      {"4294967296", ""},
      {"10.16777216", ""},
      {"10.1.65536", ""},
      {"10.0.0.256", ""},
      {"256.1", ""},
      {"+10.0.0.1", ""},
      {"10.-0.0.1", ""},
      {"1.2.3.4.5", ""},
      {"1.", ""},
      {"", ""},
      {"::1", ""},
      {"1.example", ""},
  };
  for (const auto& [text, address] : rows)
    EXPECT_EQ(text_of(resolver_address(text)), address) << text;
}

TEST(ResolverPort, IsCutToSixteenBits) {
  constexpr int kNone = -1;
  const std::pair<std::string, int> rows[] = {
      {"0", 0},
      {"65535", 65535},
      {"65536", 0},
      {"117355", 51819},
      {"2147483647", 65535},
      {"2147483648", kNone},
      {"4294967295", kNone},
      {"4294967296", 0},
      {"18446744073709551615", kNone},
      {"18446744073709551616", kNone},
      {"00080", 80},
      {"+80", 80},
      {"-1", kNone},
      {"-4294967295", 1},
      {"0x50", kNone},
      {"80a", kNone},
      {"domain", kNone},
      {"", kNone},
  };
  for (const auto& [text, port] : rows) {
    const auto read = resolver_port(text);
    EXPECT_EQ(read ? int{*read} : kNone, port) << text;
  }
}

}  // namespace
}  // namespace ginnel::config

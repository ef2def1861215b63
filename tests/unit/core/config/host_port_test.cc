#include "core/config/host_port.h"

#include <gtest/gtest.h>

namespace ginnel::config {
namespace {

TEST(HostPort, ReadsWhatPeopleWrite) {
  struct Row {
    std::string text;
    std::string host;  // Empty: refused.
    int port;          // 0: none.
  };
  const std::string label(63, 'a');
  const std::string longest = label + "." + label + "." + label + "." + std::string(61, 'b');
  const Row rows[] = {
      {"vpn.example.org", "vpn.example.org", 0},
      {"vpn.example.org:51820", "vpn.example.org", 51820},
      {"vpn.example.org.:1", "vpn.example.org.", 1},
      {"my_host", "my_host", 0},
      {"4you.example", "4you.example", 0},
      {"192.0.2.1", "192.0.2.1", 0},
      {"192.0.2.1:65535", "192.0.2.1", 65535},
      {"2001:DB8::1", "2001:db8::1", 0},
      {"[2001:db8::1]", "2001:db8::1", 0},
      {"[2001:db8::1]:51820", "2001:db8::1", 51820},
      {"::", "::", 0},
      {longest, longest, 0},
      {longest + "x", "", 0},
      {label + "a.example", "", 0},
      {"192.0.2.1:0", "", 0},
      {"192.0.2.1:65536", "", 0},
      {"192.0.2.1:", "", 0},
      {"192.0.2", "", 0},
      {"192.0.2.1.5", "", 0},
      {"[192.0.2.1]:1", "", 0},
      {"[vpn.example.org]:1", "", 0},
      {"[2001:db8::1]x", "", 0},
      {"-a.example", "", 0},
      {"a-.example", "", 0},
      {"a..example", "", 0},
      {"a b", "", 0},
      {"http://vpn.example.org", "", 0},
      {":51820", "", 0},
      {"", "", 0},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.text);
    const auto parsed = HostPort::parse(row.text);
    ASSERT_EQ(parsed.has_value(), !row.host.empty());
    if (!parsed) continue;
    EXPECT_EQ(parsed->host, row.host);
    EXPECT_EQ(parsed->port.value_or(0), row.port);
  }
}

TEST(HostPort, PrintsBracketsAndThePortWhereTheyAreNeeded) {
  EXPECT_EQ(HostPort::parse("vpn.example.org")->to_string(7), "vpn.example.org:7");
  EXPECT_EQ(HostPort::parse("192.0.2.1:8")->to_string(7), "192.0.2.1:8");
  EXPECT_EQ(HostPort::parse("2001:db8::1")->to_string(7), "[2001:db8::1]:7");
  EXPECT_EQ(HostPort::parse("2001:db8::1")->address()->to_string(), "2001:db8::1");
  EXPECT_FALSE(HostPort::parse("vpn.example.org")->address());
}

}  // namespace
}  // namespace ginnel::config

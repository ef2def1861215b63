#include "net/endpoint.h"

#include <gtest/gtest.h>

#include <unordered_set>

namespace ginnel::net {
namespace {

TEST(Endpoint, ParsesAndPrints) {
  const std::pair<std::string_view, std::string_view> rows[] = {
      {"192.0.2.1:51820", "192.0.2.1:51820"},
      {"192.0.2.1:0", "192.0.2.1:0"},
      {"192.0.2.1:65535", "192.0.2.1:65535"},
      {"[2001:DB8::1]:51820", "[2001:db8::1]:51820"},
      {"[::]:1", "[::]:1"},
      {"[fe80::1%2]:51820", "[fe80::1%2]:51820"},
      {"[fe80::1%2147483647]:1", "[fe80::1%2147483647]:1"},
  };
  for (const auto& [text, canonical] : rows) {
    SCOPED_TRACE(text);
    const auto parsed = Endpoint::parse(text);
    ASSERT_TRUE(parsed);
    EXPECT_EQ(parsed->to_string(), canonical);
    EXPECT_EQ(Endpoint::parse(canonical).value(), *parsed);
  }
}

TEST(Endpoint, RefusesWhatIsNoEndpoint) {
  const std::string_view rows[] = {
      "",
      ":",
      ":51820",
      "192.0.2.1",
      "192.0.2.1:",
      "192.0.2.1:65536",
      "192.0.2.1:-1",
      "192.0.2.1:+1",
      "192.0.2.1: 1",
      "192.0.2.1:1 ",
      "192.0.2.1%2:1",
      "::1:51820",
      "[::1]",
      "[::1]:",
      "[::1]:65536",
      "[]:1",
      "[:1",
      "]:1",
      "[::1:1",
      "::1]:1",
      "[192.0.2.1]:1",
      "[fe80::1%]:1",
      "[fe80::1%0]:1",
      "[fe80::1%2147483648]:1",
      "[fe80::1%eth0]:1",
      "[fe80::1%1%1]:1",
      "[[::1]]:1",
      "example.com:1",
  };
  for (const std::string_view text : rows) {
    SCOPED_TRACE(text);
    const auto parsed = Endpoint::parse(text);
    ASSERT_FALSE(parsed);
    EXPECT_EQ(parsed.error().code, ErrorCode::InvalidArgument);
  }
}

TEST(Endpoint, HashesAllItsParts) {
  const std::unordered_set<Endpoint> set = {
      Endpoint::parse("192.0.2.1:1").value(), Endpoint::parse("192.0.2.1:2").value(),
      Endpoint::parse("[fe80::1%1]:1").value(), Endpoint::parse("[fe80::1%2]:1").value(),
      Endpoint::parse("192.0.2.1:1").value()};
  EXPECT_EQ(set.size(), 4u);
}

}  // namespace
}  // namespace ginnel::net

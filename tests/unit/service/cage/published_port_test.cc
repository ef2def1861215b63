#include "service/cage/published_port.h"

#include <gtest/gtest.h>

namespace ginnel::cage {
namespace {

TEST(PublishedPort, IsAPortWithOrWithoutTheRest) {
  struct Row {
    const char* text;
    const char* outside;
    std::uint16_t inside;
  };
  const Row rows[] = {
      {"8080", "127.0.0.1:8080", 8080},
      {"8080:80", "127.0.0.1:8080", 80},
      {"1:65535", "127.0.0.1:1", 65535},
      {"192.0.2.1:8080", "192.0.2.1:8080", 8080},
      {"0.0.0.0:8080:80", "0.0.0.0:8080", 80},
      {"[::1]:8080", "[::1]:8080", 8080},
      {"[2001:db8::1]:1:2", "[2001:db8::1]:1", 2},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.text);
    const auto port = PublishedPort::parse(row.text);
    ASSERT_TRUE(port) << port.error().message;
    EXPECT_EQ(port->outside.to_string(), row.outside);
    EXPECT_EQ(port->inside, row.inside);
  }
}

TEST(PublishedPort, IsNothingElse) {
  for (const char* text : {"", "0", "65536", "x", "80:", ":80", "80:0", "1:2:3", "192.0.2.1",
                           "192.0.2.1:", "::1:80", "[::1]", "[::1]80", "[192.0.2.1]:80", "[::1:80",
                           "localhost:80", "192.0.2.1:1:2:3", "-1", " 80"}) {
    SCOPED_TRACE(text);
    const auto port = PublishedPort::parse(text);
    ASSERT_FALSE(port);
    EXPECT_EQ(port.error().code, ErrorCode::InvalidArgument);
  }
}

}  // namespace
}  // namespace ginnel::cage

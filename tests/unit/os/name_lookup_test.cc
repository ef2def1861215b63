#include "os/name_lookup.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace ginnel::os {
namespace {

TEST(LookUp, TakesAddressesInEveryFormThatTheSystemDoes) {
  EXPECT_EQ(look_up("192.0.2.1", "51820")->to_string(), "192.0.2.1:51820");
  EXPECT_EQ(look_up("127.1", "0")->to_string(), "127.0.0.1:0");
  EXPECT_EQ(look_up("2001:db8::1", "51820")->to_string(), "[2001:db8::1]:51820");
  EXPECT_EQ(look_up("fe80::1%lo", "1")->scope, 1u);
}

TEST(LookUp, SaysWhatIsFinal) {
  const auto found = look_up("256.0.0.1.", "51820x");
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, ErrorCode::NotFound);
}

TEST(LookUpAll, FindsEveryAddressWithThePort) {
  const auto found = look_up_all("192.0.2.1", "tftp");
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(*found, std::vector<net::Endpoint>{*net::Endpoint::parse("192.0.2.1:69")});
  const auto loopback = look_up_all("localhost", "7");
  ASSERT_TRUE(loopback) << loopback.error().message;
  EXPECT_TRUE(std::ranges::all_of(*loopback, [](const net::Endpoint& endpoint) {
    return endpoint.address.is_loopback() && endpoint.port == 7;
  }));
  EXPECT_EQ(look_up_all("localhost", "no-such-service").error().code, ErrorCode::NotFound);
}

TEST(LookUpPort, TakesNumbersAndServices) {
  EXPECT_EQ(look_up_port("051820"), 51820);
  EXPECT_EQ(look_up_port("tftp"), 69);
  EXPECT_EQ(look_up_port("0"), 0);
  const auto unknown = look_up_port("no-such-service");
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().code, ErrorCode::NotFound);
}

TEST(LookUpHost, FindsNamesAndAddresses) {
  const auto loopback = look_up_host("localhost");
  ASSERT_TRUE(loopback) << loopback.error().message;
  EXPECT_TRUE(std::ranges::all_of(*loopback, &net::Address::is_loopback));
  for (const char* text : {"192.0.2.7", "2001:db8::7"}) {
    const auto found = look_up_host(text);
    ASSERT_TRUE(found) << found.error().message;
    EXPECT_EQ(*found, std::vector<net::Address>{*net::Address::parse(text)});
  }
}

// A name that no resolver is asked for: labels have at most 63 letters.
TEST(LookUpHost, SaysWhatItDidNotFind) {
  const std::string name(64, 'a');
  const auto missing = look_up_host(name);
  ASSERT_FALSE(missing);
  EXPECT_TRUE(missing.error().message.starts_with("look up " + name + ": "))
      << missing.error().message;
}

}  // namespace
}  // namespace ginnel::os

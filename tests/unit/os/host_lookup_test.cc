#include "os/host_lookup.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace ginnel::os {
namespace {

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

#include "os/name_lookup.h"

#include <gtest/gtest.h>

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

TEST(LookUpPort, TakesNumbersAndServices) {
  EXPECT_EQ(look_up_port("051820"), 51820);
  EXPECT_EQ(look_up_port("tftp"), 69);
  EXPECT_EQ(look_up_port("0"), 0);
  const auto unknown = look_up_port("no-such-service");
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().code, ErrorCode::NotFound);
}

}  // namespace
}  // namespace ginnel::os

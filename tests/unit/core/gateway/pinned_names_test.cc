#include "core/gateway/pinned_names.h"

#include <gtest/gtest.h>

namespace ginnel::gateway {
namespace {

net::Address address(std::string_view text) { return net::Address::parse(text).value(); }

TEST(PinnedNames, ComeBackFromTheirText) {
  PinnedNames pinned;
  EXPECT_TRUE(pinned.pin("vpn.example", {address("192.0.2.7"), address("2001:db8::7")}));
  EXPECT_TRUE(pinned.pin("a.example", {address("192.0.2.1")}));
  EXPECT_FALSE(pinned.pin("a.example", {address("192.0.2.1")}));
  EXPECT_TRUE(pinned.pin("a.example", {address("192.0.2.2")}));
  EXPECT_EQ(pinned.to_text(), "a.example 192.0.2.2\nvpn.example 192.0.2.7 2001:db8::7\n");
  const auto parsed = PinnedNames::parse(pinned.to_text());
  ASSERT_TRUE(parsed);
  EXPECT_EQ(*parsed, pinned);
  EXPECT_EQ(parsed->find("vpn.example").front(), address("192.0.2.7"));
  EXPECT_TRUE(parsed->find("other.example").empty());
}

TEST(PinnedNames, HaveLimits) {
  PinnedNames pinned;
  EXPECT_FALSE(pinned.pin("vpn.example", {}));
  EXPECT_FALSE(pinned.pin("", {address("192.0.2.7")}));
  EXPECT_FALSE(pinned.pin("two words", {address("192.0.2.7")}));
  EXPECT_FALSE(pinned.pin(std::string(254, 'a'), {address("192.0.2.7")}));
  EXPECT_TRUE(pinned.pin(std::string(253, 'a'), {address("192.0.2.7")}));
  std::vector<net::Address> many;
  for (std::uint64_t i = 0; i < 17; ++i) many.push_back(address("192.0.2.0").plus(i));
  EXPECT_TRUE(pinned.pin("many.example", many));
  EXPECT_EQ(pinned.find("many.example").size(), 16u);
  for (int i = 0; i < 254; ++i) EXPECT_TRUE(pinned.pin(fmt::format("n{}", i), {many[0]}));
  EXPECT_FALSE(pinned.pin("one.more", {many[0]}));
  EXPECT_TRUE(pinned.pin("n0", {many[1]}));
  EXPECT_TRUE(PinnedNames::parse(pinned.to_text()));
}

TEST(PinnedNames, RefuseWhatTheyDidNotWrite) {
  for (const char* text : {"vpn.example\n", " 192.0.2.7\n", "vpn.example 192.0.2.256\n",
                           "vpn.example  192.0.2.7\n", "a 192.0.2.7\na 192.0.2.8\n", "a b\n"}) {
    SCOPED_TRACE(text);
    EXPECT_FALSE(PinnedNames::parse(text));
  }
  EXPECT_TRUE(PinnedNames::parse(""));
  const auto wrong = PinnedNames::parse("a 192.0.2.7\nb\n");
  ASSERT_FALSE(wrong);
  EXPECT_TRUE(wrong.error().message.starts_with("line 2: ")) << wrong.error().message;
}

}  // namespace
}  // namespace ginnel::gateway

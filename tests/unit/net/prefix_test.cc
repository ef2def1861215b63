#include "net/prefix.h"

#include <gtest/gtest.h>

namespace ginnel::net {
namespace {

Prefix prefix(std::string_view text) {
  const auto parsed = Prefix::parse(text);
  EXPECT_TRUE(parsed) << text;
  return parsed.value_or(Prefix());
}

Address address(std::string_view text) { return Address::parse(text).value(); }

TEST(Prefix, ParsesAndPrints) {
  const std::pair<std::string_view, std::string_view> rows[] = {
      {"0.0.0.0/0", "0.0.0.0/0"},           {"10.0.0.0/8", "10.0.0.0/8"},
      {"192.0.2.1", "192.0.2.1/32"},        {"192.0.2.1/32", "192.0.2.1/32"},
      {"192.0.2.254/31", "192.0.2.254/31"}, {"::/0", "::/0"},
      {"2001:db8::/32", "2001:db8::/32"},   {"2001:db8::1", "2001:db8::1/128"},
      {"128.0.0.0/1", "128.0.0.0/1"},       {"8000::/1", "8000::/1"},
  };
  for (const auto& [text, canonical] : rows) {
    SCOPED_TRACE(text);
    EXPECT_EQ(prefix(text).to_string(), canonical);
  }
}

TEST(Prefix, NamesTheOneMeantWhenHostBitsAreSet) {
  struct Row {
    std::string_view text;
    std::string_view meant;
  };
  const Row rows[] = {
      {"10.0.0.1/24", "10.0.0.0/24"}, {"10.0.0.1/31", "10.0.0.0/31"},
      {"128.0.0.0/0", "0.0.0.0/0"},   {"2001:db8::1/127", "2001:db8::/127"},
      {"1.2.3.4/9", "1.0.0.0/9"},     {"1.255.3.4/9", "1.128.0.0/9"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.text);
    const auto strict = Prefix::parse(row.text);
    ASSERT_FALSE(strict);
    EXPECT_EQ(strict.error().message,
              std::string(row.text) + " has host bits set; write " + std::string(row.meant));
    EXPECT_EQ(Prefix::parse_masking(row.text).value(), prefix(row.meant));
  }
}

TEST(Prefix, RefusesWhatIsNoPrefix) {
  const std::string_view rows[] = {
      "",
      "/",
      "/24",
      "10.0.0.0/",
      "10.0.0.0/33",
      "10.0.0.0/-1",
      "::/129",
      "10.0.0.0/8/8",
      "10.0.0.0/ 8",
      "10.0.0.0 /8",
      "10/8",
      "10.0.0.0/255.0.0.0",
      "::/+1",
      "x/8",
      "10.0.0.0/8 ",
  };
  for (const std::string_view text : rows) {
    SCOPED_TRACE(text);
    EXPECT_FALSE(Prefix::parse(text));
    EXPECT_FALSE(Prefix::parse_masking(text));
    EXPECT_FALSE(InterfaceAddress::parse(text));
  }
}

TEST(Prefix, ContainsItsFirstAndItsLastAddressAndNoOther) {
  struct Row {
    std::string_view range;
    std::string_view before, first, last, after;
  };
  const Row rows[] = {
      {"10.0.1.0/24", "10.0.0.255", "10.0.1.0", "10.0.1.255", "10.0.2.0"},
      {"10.0.0.4/30", "10.0.0.3", "10.0.0.4", "10.0.0.7", "10.0.0.8"},
      {"10.0.0.4/32", "10.0.0.3", "10.0.0.4", "10.0.0.4", "10.0.0.5"},
      {"128.0.0.0/1", "127.255.255.255", "128.0.0.0", "255.255.255.255", "::8000:0"},
      {"fd00::/8", "fcff:ffff::", "fd00::", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "fe00::"},
      {"2001:db8::10/127", "2001:db8::f", "2001:db8::10", "2001:db8::11", "2001:db8::12"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.range);
    const Prefix range = prefix(row.range);
    EXPECT_FALSE(range.contains(address(row.before)));
    EXPECT_TRUE(range.contains(address(row.first)));
    EXPECT_TRUE(range.contains(address(row.last)));
    EXPECT_FALSE(range.contains(address(row.after)));
    EXPECT_EQ(range.last(), address(row.last));
  }
}

TEST(Prefix, EverythingOfOneFamilyIsNothingOfTheOther) {
  EXPECT_TRUE(prefix("0.0.0.0/0").contains(address("255.255.255.255")));
  EXPECT_FALSE(prefix("0.0.0.0/0").contains(address("::")));
  EXPECT_FALSE(prefix("::/0").overlaps(prefix("0.0.0.0/0")));
}

TEST(Prefix, OverlapsWhenOneHoldsTheOther) {
  EXPECT_TRUE(prefix("10.0.0.0/8").contains(prefix("10.1.0.0/16")));
  EXPECT_FALSE(prefix("10.1.0.0/16").contains(prefix("10.0.0.0/8")));
  EXPECT_TRUE(prefix("10.1.0.0/16").overlaps(prefix("10.0.0.0/8")));
  EXPECT_TRUE(prefix("10.1.0.0/16").contains(prefix("10.1.0.0/16")));
  EXPECT_FALSE(prefix("10.0.0.0/16").overlaps(prefix("10.1.0.0/16")));
}

TEST(Prefix, MasksAtEveryLength) {
  const Address ones = Address::parse("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff").value();
  for (unsigned length = 0; length <= 128; ++length) {
    SCOPED_TRACE(length);
    const Prefix masked = Prefix::masking(ones, length);
    EXPECT_EQ(masked.length(), length);
    for (unsigned bit = 0; bit < 128; ++bit) EXPECT_EQ(masked.address().bit(bit), bit < length);
    EXPECT_EQ(masked.last(), ones);
  }
}

TEST(PrefixDeathTest, IsNeverLongerThanItsFamily) {
  EXPECT_DEATH(Prefix::masking(Address(), 33), "length <= address.bits");
}

TEST(InterfaceAddress, KeepsItsHostBits) {
  const auto parsed = InterfaceAddress::parse("10.0.0.5/24");
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->to_string(), "10.0.0.5/24");
  EXPECT_EQ(parsed->subnet(), prefix("10.0.0.0/24"));
  EXPECT_EQ(InterfaceAddress::parse("10.0.0.5").value().length, 32u);
  EXPECT_EQ(InterfaceAddress::parse("fd00::5").value().length, 128u);
}

}  // namespace
}  // namespace ginnel::net

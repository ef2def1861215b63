#include "net/address.h"

#include <gtest/gtest.h>

#include <unordered_set>

namespace ginnel::net {
namespace {

Address address(std::string_view text) {
  const auto parsed = Address::parse(text);
  EXPECT_TRUE(parsed) << text;
  return parsed.value_or(Address());
}

TEST(Address, ParsesAndPrintsItsCanonicalText) {
  struct Row {
    std::string_view text;
    std::string_view canonical;
  };
  const Row rows[] = {
      {"0.0.0.0", "0.0.0.0"},
      {"255.255.255.255", "255.255.255.255"},
      {"192.0.2.1", "192.0.2.1"},
      {"::", "::"},
      {"::1", "::1"},
      {"1::", "1::"},
      {"0:0:0:0:0:0:0:0", "::"},
      {"0000:0000:0000:0000:0000:0000:0000:0001", "::1"},
      // RFC 5952, section 4.
      {"2001:0db8::0001", "2001:db8::1"},
      {"2001:db8:0:0:0:0:2:1", "2001:db8::2:1"},
      {"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},
      {"2001:db8::1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},
      {"2001:0:0:1:0:0:0:1", "2001:0:0:1::1"},
      {"2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},
      {"2001:DB8:AAAA::", "2001:db8:aaaa::"},
      {"::ffff:192.0.2.1", "::ffff:192.0.2.1"},
      {"::ffff:c000:201", "::ffff:192.0.2.1"},
      {"64:ff9b::192.0.2.33", "64:ff9b::c000:221"},
      // One group, at either end and between, may also be written as "::".
      {"::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"},
      {"1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"},
      {"1:2:3::5:6:7:8", "1:2:3:0:5:6:7:8"},
      {"1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:102:304"},
      {"ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.text);
    EXPECT_EQ(address(row.text).to_string(), row.canonical);
    EXPECT_EQ(address(row.canonical), address(row.text));
  }
}

TEST(Address, RefusesWhatIsNoAddress) {
  const std::string_view rows[] = {
      "",
      " ",
      "1",
      "1.2.3",
      "1.2.3.4.5",
      "1.2.3.256",
      "1.2.3.-1",
      "1.2.3.+1",
      "1.2.3.4 ",
      " 1.2.3.4",
      "01.2.3.4",
      "1.2.3.00",
      "0x1.2.3.4",
      "1..3.4",
      "1.2.3.",
      ".1.2.3",
      "1.2.3.4/32",
      "1.2.3.4:5",
      ":",
      ":::",
      ":1",
      "1:",
      "1::2::3",
      "::1::",
      "1:2:3:4:5:6:7",
      "1:2:3:4:5:6:7:8:9",
      "1:2:3:4:5:6:7:8::",
      "::1:2:3:4:5:6:7:8",
      "1:2:3:4::5:6:7:8",
      "12345::",
      "g::",
      "::-1",
      "::+1",
      "::0x1",
      "::1%2",
      "[::1]",
      "::1.2.3",
      "::1.2.3.4.5",
      "1.2.3.4::",
      "::1.2.3.4:5",
      "1:2:3:4:5:6:7:1.2.3.4",
      "::ffff:01.2.3.4",
      "example.com",
      "ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.2555",
      std::string_view("::1\0", 4),
      std::string_view("1.2.3.4\0", 8),
  };
  for (const std::string_view text : rows) {
    SCOPED_TRACE(text);
    const auto parsed = Address::parse(text);
    ASSERT_FALSE(parsed);
    EXPECT_EQ(parsed.error().code, ErrorCode::InvalidArgument);
    EXPECT_NE(parsed.error().message.find("is not an IP address; write one like"),
              std::string::npos);
  }
}

TEST(Address, AnswersALongTextShortly) {
  const auto parsed = Address::parse(std::string(1'000'000, ':'));
  ASSERT_FALSE(parsed);
  EXPECT_LT(parsed.error().message.size(), 200u);
}

TEST(Address, KnowsWhatItIsFor) {
  struct Row {
    std::string_view text;
    bool loopback, link_local, multicast, is_private;
  };
  const Row rows[] = {
      {"126.255.255.255", false, false, false, false},
      {"127.0.0.0", true, false, false, true},
      {"127.255.255.255", true, false, false, true},
      {"128.0.0.0", false, false, false, false},
      {"169.253.255.255", false, false, false, false},
      {"169.254.0.0", false, true, false, true},
      {"169.255.0.0", false, false, false, false},
      {"223.255.255.255", false, false, false, false},
      {"224.0.0.0", false, false, true, false},
      {"239.255.255.255", false, false, true, false},
      {"240.0.0.0", false, false, false, false},
      {"9.255.255.255", false, false, false, false},
      {"10.0.0.0", false, false, false, true},
      {"11.0.0.0", false, false, false, false},
      {"100.63.255.255", false, false, false, false},
      {"100.64.0.0", false, false, false, true},
      {"100.127.255.255", false, false, false, true},
      {"100.128.0.0", false, false, false, false},
      {"172.15.255.255", false, false, false, false},
      {"172.16.0.0", false, false, false, true},
      {"172.31.255.255", false, false, false, true},
      {"172.32.0.0", false, false, false, false},
      {"192.167.255.255", false, false, false, false},
      {"192.168.0.0", false, false, false, true},
      {"192.169.0.0", false, false, false, false},
      {"::", false, false, false, false},
      {"::1", true, false, false, true},
      {"::2", false, false, false, false},
      {"fbff::", false, false, false, false},
      {"fc00::", false, false, false, true},
      {"fdff::", false, false, false, true},
      {"fe7f::", false, false, false, false},
      {"fe80::", false, true, false, true},
      {"febf::", false, true, false, true},
      {"fec0::", false, false, false, false},
      {"feff::", false, false, false, false},
      {"ff00::", false, false, true, false},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.text);
    const Address subject = address(row.text);
    EXPECT_EQ(subject.is_loopback(), row.loopback);
    EXPECT_EQ(subject.is_link_local(), row.link_local);
    EXPECT_EQ(subject.is_multicast(), row.multicast);
    EXPECT_EQ(subject.is_private(), row.is_private);
  }
}

TEST(Address, CountsOnAndWrapsAtTheEndOfItsFamily) {
  struct Row {
    std::string_view from;
    std::uint64_t count;
    std::string_view to;
  };
  const Row rows[] = {
      {"10.0.0.255", 0, "10.0.0.255"},
      {"10.0.0.255", 1, "10.0.1.0"},
      {"10.0.0.0", 0xffffff, "10.255.255.255"},
      {"255.255.255.255", 1, "0.0.0.0"},
      {"0.0.0.1", UINT64_MAX, "0.0.0.0"},
      {"::ffff:ffff:ffff:ffff", 1, "0:0:0:1::"},
      {"::1", UINT64_MAX, "0:0:0:1::"},
      {"::ff", UINT64_MAX, "::1:0:0:0:fe"},
      {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 1, "::"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(testing::Message() << row.from << " + " << row.count);
    EXPECT_EQ(address(row.from).plus(row.count), address(row.to));
  }
}

TEST(Address, OrdersByFamilyAndThenByNumber) {
  EXPECT_LT(address("9.0.0.0"), address("10.0.0.0"));
  EXPECT_LT(address("255.255.255.255"), address("::"));
  EXPECT_LT(address("::1"), address("::2"));
  EXPECT_NE(address("0.0.0.0"), address("::"));
  EXPECT_TRUE(address("::").is_unspecified() && address("0.0.0.0").is_unspecified());
  EXPECT_FALSE(address("::1").is_unspecified());
}

TEST(Address, HashesItsBytes) {
  const std::unordered_set<Address> set = {address("10.0.0.1"), address("10.0.0.2"), address("::1"),
                                           address("::0001")};
  EXPECT_EQ(set.size(), 3u);
}

TEST(Address, NumbersItsBitsFromTheFront) {
  EXPECT_TRUE(address("128.0.0.1").bit(0));
  EXPECT_FALSE(address("128.0.0.1").bit(1));
  EXPECT_TRUE(address("128.0.0.1").bit(31));
  EXPECT_TRUE(address("::1").bit(127));
}

}  // namespace
}  // namespace ginnel::net

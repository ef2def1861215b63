#include "core/dns/address_question.h"

#include <gtest/gtest.h>

#include "unit/core/dns/wire.h"

namespace ginnel::dns {
namespace {

using namespace test;

net::Address address(std::string_view text) { return net::Address::parse(text).value(); }

Answer answer_with(std::vector<WireRecord> answers, std::uint16_t type = kTypeA) {
  WireMessage message{.flags = 0x8180};
  message.type = type;
  message.answers = std::move(answers);
  return parse_answer(message.bytes()).value();
}

TEST(AddressQuestion, WritesANameInLabels) {
  const auto v4 = address_question("www.example", net::Family::V4);
  ASSERT_TRUE(v4);
  EXPECT_EQ(*v4, (Question{wire_name("www.example"), 1, 1}));
  EXPECT_EQ(address_question("www.example.", net::Family::V6),
            (Question{wire_name("www.example"), 28, 1}));
}

TEST(AddressQuestion, HasTheLimitsOfDns) {
  const std::string label(63, 'a');
  EXPECT_TRUE(address_question(label + ".example", net::Family::V4));
  EXPECT_FALSE(address_question(label + "a.example", net::Family::V4));
  // Three labels of 63 and one of 61 are 255 bytes with their lengths and the end.
  const std::string three = label + "." + label + "." + label + ".";
  EXPECT_TRUE(address_question(three + std::string(61, 'a'), net::Family::V4));
  EXPECT_FALSE(address_question(three + std::string(62, 'a'), net::Family::V4));
  for (const char* none : {"", ".", "a..b", ".a"}) {
    SCOPED_TRACE(none);
    EXPECT_FALSE(address_question(none, net::Family::V4));
  }
}

TEST(AddressesIn, AreThoseOfTheFamilyThatWasAskedFor) {
  const std::string v6("\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x07", 16);
  EXPECT_EQ(answer_with({}).stored.ttl_places.size(), 0u);
  EXPECT_TRUE(addresses_in(answer_with({})).empty());
  const std::vector<WireRecord> records = {
      {kPointerToQuestion, kTypeCname, 60, wire_name("other.example")},
      {wire_name("other.example"), kTypeA, 60, std::string("\xc0\x00\x02\x07", 4)},
      {wire_name("other.example"), 28, 60, v6},
      {wire_name("other.example"), kTypeA, 60, std::string("\xc0\x00\x02\x08", 4)}};
  EXPECT_EQ(addresses_in(answer_with(records)),
            (std::vector{address("192.0.2.7"), address("192.0.2.8")}));
  EXPECT_EQ(addresses_in(answer_with(records, 28)), std::vector{address("2001:db8::7")});
}

TEST(AddressesIn, LeaveOutWhatIsNone) {
  EXPECT_TRUE(addresses_in(answer_with({{kPointerToQuestion, kTypeA, 60, "abc"}})).empty());
  EXPECT_TRUE(addresses_in(answer_with({{kPointerToQuestion, kTypeA, 60, "abcde"}})).empty());
  WireRecord chaos{kPointerToQuestion, kTypeA, 60};
  chaos.space = 3;
  EXPECT_TRUE(addresses_in(answer_with({chaos})).empty());
  // What stands in another section is about another name.
  WireMessage message{.flags = 0x8180};
  message.additionals = {{wire_name("ns.example"), kTypeA, 60}};
  EXPECT_TRUE(addresses_in(parse_answer(message.bytes()).value()).empty());
  message = {.flags = 0x8183};
  message.answers = {{kPointerToQuestion, kTypeA, 60}};
  EXPECT_TRUE(addresses_in(parse_answer(message.bytes()).value()).empty());
  message.flags = 0x8380;
  EXPECT_TRUE(addresses_in(parse_answer(message.bytes()).value()).empty());
}

TEST(AddressesIn, AreNoMoreThanTheLimit) {
  for (const std::size_t count :
       {kMaxAddressesInAnswer - 1, kMaxAddressesInAnswer, kMaxAddressesInAnswer + 1}) {
    const std::vector<WireRecord> records(count, {kPointerToQuestion, kTypeA, 60});
    EXPECT_EQ(addresses_in(answer_with(records)).size(), std::min(count, kMaxAddressesInAnswer));
  }
}

}  // namespace
}  // namespace ginnel::dns

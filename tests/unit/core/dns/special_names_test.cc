#include "core/dns/special_names.h"

#include <gtest/gtest.h>

#include "unit/core/dns/wire.h"

namespace ginnel::dns {
namespace {

using namespace test;

Query query_for(std::string_view name, std::uint16_t type = kTypeA) {
  WireMessage message;
  message.question = wire_name(name);
  message.type = type;
  return parse_query(message.bytes()).value();
}

TEST(SpecialNames, AreAnsweredHere) {
  struct Row {
    const char* name;
    std::uint16_t type;
    Code code;
    std::string data;
  };
  const std::string loopback6 = std::string(15, '\0') + '\1';
  const Row rows[] = {
      {"localhost", 1, Code::NoError, std::string("\x7f\0\0\1", 4)},
      {"LocalHost", 28, Code::NoError, loopback6},
      {"www.localhost", 1, Code::NoError, std::string("\x7f\0\0\1", 4)},
      {"localhost", kTypeTxt, Code::NoError, ""},
      {"example.onion", 1, Code::NameError, ""},
      {"onion", 1, Code::NameError, ""},
      {"a.b.INVALID", 28, Code::NameError, ""},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    const Query query = query_for(row.name, row.type);
    const auto special = answer_special(query);
    ASSERT_TRUE(special);
    WireMessage expected;
    expected.question = query.question.name;
    expected.type = row.type;
    expected.flags = static_cast<std::uint16_t>(0x8180 | std::to_underlying(row.code));
    if (!row.data.empty()) {
      expected.answers = {{kPointerToQuestion, row.type, 3600, row.data}};
    }
    EXPECT_EQ(make_reply(query, *special, 0, 512), expected.bytes());
  }
}

TEST(SpecialNames, AreFew) {
  for (const char* const name : {"", "example", "localhost.example", "onion.example", "xonion"}) {
    SCOPED_TRACE(name);
    EXPECT_FALSE(answer_special(query_for(name)));
  }
}

}  // namespace
}  // namespace ginnel::dns

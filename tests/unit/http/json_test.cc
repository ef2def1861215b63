#include "http/json.h"

#include <gtest/gtest.h>

#include <random>

#include "net/endpoint.h"

namespace ginnel::http {

enum class PathClass { DirectIpv4, Relay };
BOOST_DESCRIBE_ENUM(PathClass, DirectIpv4, Relay);

struct PeerView {
  std::string name;
  Nullable<net::Endpoint> endpoint;
  std::optional<std::string> comment;
  std::optional<Nullable<std::uint16_t>> keepalive;

  friend bool operator==(const PeerView&, const PeerView&) = default;
};
BOOST_DESCRIBE_STRUCT(PeerView, (), (name, endpoint, comment, keepalive));

struct ServerView {
  int version = 1;
  bool running = false;
  std::uint64_t bytes = 0;
  double rate = 0;
  PathClass path = PathClass::Relay;
  UnixTime since{};
  Duration age{};
  std::vector<PeerView> peers;
  std::map<std::string, std::int64_t> drops;

  friend bool operator==(const ServerView&, const ServerView&) = default;
};
BOOST_DESCRIBE_STRUCT(ServerView, (),
                      (version, running, bytes, rate, path, since, age, peers, drops));

struct Numbers {
  std::optional<std::int8_t> i8;
  std::optional<std::uint16_t> u16;
  std::optional<std::int64_t> i64;
  std::optional<std::uint64_t> u64;
};
BOOST_DESCRIBE_STRUCT(Numbers, (), (i8, u16, i64, u64));

namespace {

ServerView example() {
  ServerView view;
  view.running = true;
  view.bytes = ~std::uint64_t{0};
  view.rate = 0.25;
  view.path = PathClass::DirectIpv4;
  view.since = *parse_rfc3339("2026-11-21T09:41:33Z");
  view.age = 1500ms;
  view.peers = {{"first", *net::Endpoint::parse("192.0.2.1:51820"), "a \"phone\"\n",
                 Nullable<std::uint16_t>(25)},
                {"second", {}, {}, {}},
                {"third", {}, {}, Nullable<std::uint16_t>()}};
  view.drops = {{"bad_tag", 3}, {"too short", -1}};
  return view;
}

TEST(ToJsonText, WritesEveryFormOfMember) {
  EXPECT_EQ(
      to_json_text(example()),
      R"({"version":1,"running":true,"bytes":18446744073709551615,"rate":0.25,)"
      R"("path":"direct_ipv4","since":"2026-11-21T09:41:33Z","age":1.5,"peers":[)"
      R"({"name":"first","endpoint":"192.0.2.1:51820","comment":"a \"phone\"\n","keepalive":25},)"
      R"({"name":"second","endpoint":null},)"
      R"({"name":"third","endpoint":null,"keepalive":null}],)"
      R"("drops":{"bad_tag":3,"too short":-1}})");
}

TEST(FromJsonText, ReadsWhatWasWritten) {
  const auto read = from_json_text<ServerView>(to_json_text(example()));

  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(*read, example());
}

TEST(ToJsonText, MakesEveryStringValidUtf8) {
  struct Row {
    std::string value;
    std::string text;
  };
  const Row rows[] = {
      {"", R"("")"},
      {std::string("a\0b", 3), R"("a\u0000b")"},
      {"\x1f\x7f\t\r\\", R"("\u001f\u007f\t\r\\")"},
      {"gr\xc3\xbc\xc3\x9f\xe2\x82\xac\xf0\x9f\x98\x80",
       "\"gr\xc3\xbc\xc3\x9f\xe2\x82\xac\xf0\x9f\x98\x80\""},
      {"\xff", "\"\xef\xbf\xbd\""},
      {"\xc3", "\"\xef\xbf\xbd\""},                                  // Cut off.
      {"\xc0\xaf", "\"\xef\xbf\xbd\xef\xbf\xbd\""},                  // Overlong.
      {"\xe0\x9f\xbf", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""},  // Overlong.
      {"\xed\xa0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""},  // A surrogate.
      {"\xf4\x90\x80\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.text);
    EXPECT_EQ(to_json_text(row.value), row.text);
    EXPECT_TRUE(from_json_text<std::string>(row.text));
  }
}

TEST(ToJsonText, WritesNumbersThatAreNoneAsNull) {
  EXPECT_EQ(
      to_json_text(std::vector<double>{std::numeric_limits<double>::infinity(),
                                       std::numeric_limits<double>::quiet_NaN(), -0.5, 1e300}),
      "[null,null,-0.5,1e+300]");
}

TEST(FromJsonText, TellsAbsentNullAndValueApart) {
  struct Row {
    std::string_view text;
    std::optional<Nullable<std::uint16_t>> keepalive;
  };
  const Row rows[] = {
      {R"({"name":"a","endpoint":null})", std::nullopt},
      {R"({"name":"a","endpoint":null,"keepalive":null})", Nullable<std::uint16_t>()},
      {R"({"name":"a","endpoint":null,"keepalive":25})", Nullable<std::uint16_t>(25)},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.text);
    const auto read = from_json_text<PeerView>(row.text);
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(read->keepalive, row.keepalive);
  }
}

TEST(FromJsonText, IgnoresUnknownMembersAndTakesTheLastOfTwo) {
  const auto read = from_json_text<PeerView>(
      R"({"name":"first","extra":{"name":[1,{"a":null}]},"endpoint":null,"name":"second"})");

  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->name, "second");
}

TEST(FromJsonText, SaysWhereAndWhatWasExpected) {
  struct Row {
    std::string_view text;
    std::string_view message;
  };
  const std::string_view head = R"({"version":1,"running":true,"bytes":1,"rate":0,"path":"relay",)"
                                R"("since":"2026-11-21T09:41:33Z","age":1,)";
  const Row rows[] = {
      {"[]", "expected an object, not an array"},
      {"{}", "version: missing"},
      {R"({"version":null})",
       "version: expected a whole number from -2147483648 to 2147483647, not null"},
      {R"({"version":1,"running":"yes"})", "running: expected true or false, not a string"},
      {R"({"version":1,"running":true,"bytes":-1})",
       "bytes: expected a whole number from 0 to 18446744073709551615"},
      {R"({"version":1,"running":true,"bytes":1,"rate":"1"})",
       "rate: expected a number, not a string"},
      {R"({"version":1,"running":true,"bytes":1,"rate":1,"path":"Relay"})",
       R"(path: expected "direct_ipv4" or "relay")"},
      {R"({"version":1,"running":true,"bytes":1,"rate":1,"path":7})",
       R"(path: expected "direct_ipv4" or "relay", not a number)"},
      {R"({"version":1,"running":true,"bytes":1,"rate":1,"path":"relay","since":"today"})",
       R"(since: expected a time like "2026-11-21T09:41:33Z")"},
      {R"({"version":1,"running":true,"bytes":1,"rate":1,"path":"relay","since":"2026-11-21T09:41:33Z","age":1e10})",
       "age: expected a number of seconds up to 9200000000"},
      {R"("peers":{},"drops":{}})", "peers: expected an array, not an object"},
      {R"("peers":[{"name":"a","endpoint":null},{"name":"b","endpoint":17}],"drops":{}})",
       "peers[1].endpoint: expected a string, not a number"},
      {R"("peers":[{"name":"a","endpoint":"nowhere"}],"drops":{}})",
       R"(peers[0].endpoint: "nowhere" is not an endpoint; write one like 192.0.2.1:51820 or [2001:db8::1]:51820)"},
      {R"("peers":[{"name":"a","endpoint":null,"comment":null}],"drops":{}})",
       "peers[0].comment: expected a string, not null"},
      {R"("peers":[{"endpoint":null}],"drops":{}})", "peers[0].name: missing"},
      {R"("peers":[],"drops":{"ab\ncd":true}})",
       "drops.ab?cd: expected a whole number from -9223372036854775808 to 9223372036854775807, not "
       "true or false"},
      {R"("peers":[],"drops":{"":null}})",
       "drops.: expected a whole number from -9223372036854775808 to 9223372036854775807, not "
       "null"},
  };
  for (const Row& row : rows) {
    const std::string text =
        (row.text.starts_with('"') ? std::string(head) : "") + std::string(row.text);
    SCOPED_TRACE(text);
    const auto read = from_json_text<ServerView>(text);
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().message, row.message);
    EXPECT_EQ(read.error().code, ErrorCode::InvalidArgument);
  }
}

TEST(FromJsonText, CutsLongKeysInMessages) {
  const auto read =
      from_json_text<std::map<std::string, bool>>("{\"" + std::string(41, 'k') + "\":1}");

  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().message,
            std::string(40, 'k') + "...: expected true or false, not a number");
}

TEST(FromJsonText, TakesWholeNumbersToTheEndsOfTheirType) {
  struct Row {
    std::string_view text;
    bool valid;
  };
  const Row rows[] = {
      {R"({"i8":-128})", true},
      {R"({"i8":-129})", false},
      {R"({"i8":127})", true},
      {R"({"i8":128})", false},
      {R"({"u16":0})", true},
      {R"({"u16":-1})", false},
      {R"({"u16":65535})", true},
      {R"({"u16":65536})", false},
      {R"({"u16":1.5})", false},
      {R"({"u16":1e3})", false},
      {R"({"u16":"1"})", false},
      {R"({"i64":-9223372036854775808})", true},
      {R"({"i64":9223372036854775808})", false},
      {R"({"i64":-9223372036854775809})", false},
      {R"({"u64":18446744073709551615})", true},
      {R"({"u64":18446744073709551616})", false},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.text);
    EXPECT_EQ(from_json_text<Numbers>(row.text).has_value(), row.valid);
  }
}

TEST(FromJsonText, LimitsDepthAndSize) {
  const auto nested = [](std::size_t depth) {
    return R"({"extra":)" + std::string(depth - 1, '[') + std::string(depth - 1, ']') + "}";
  };
  EXPECT_TRUE(from_json_text<Numbers>(nested(JsonLimits::kMaxDepth - 1)));
  EXPECT_TRUE(from_json_text<Numbers>(nested(JsonLimits::kMaxDepth)));
  const auto deeper = from_json_text<Numbers>(nested(JsonLimits::kMaxDepth + 1));
  ASSERT_FALSE(deeper);
  EXPECT_EQ(deeper.error().message, "nested too deeply; at most 32 levels are read");
  EXPECT_FALSE(from_json_text<Numbers>(std::string(JsonLimits::kMaxBytes, '[')));

  const auto sized = [](std::size_t size) { return "\"" + std::string(size - 2, 'x') + "\""; };
  EXPECT_TRUE(from_json_text<std::string>(sized(JsonLimits::kMaxBytes - 1)));
  EXPECT_TRUE(from_json_text<std::string>(sized(JsonLimits::kMaxBytes)));
  const auto longer = from_json_text<std::string>(sized(JsonLimits::kMaxBytes + 1));
  ASSERT_FALSE(longer);
  EXPECT_EQ(longer.error().message, "1048577 bytes of JSON; at most 1048576 are read");
}

TEST(FromJsonText, RefusesWhatIsNotJson) {
  struct Row {
    std::string_view text;
    std::string_view message;
  };
  const Row rows[] = {
      {"", "no JSON; expected a document"},
      {"[1,", "the JSON ends too early"},
      {"[1,]", "not JSON at byte 3: syntax error"},
      {"{'a':1}", "not JSON at byte 1: syntax error"},
      {"[] []", "not JSON at byte 3: extra data"},
      {"[1] // no", "not JSON at byte 4: extra data"},
      {"[\"\xff\"]", "not JSON at byte 2: syntax error"},
      {"[\"\xed\xa0\x80\"]", "not JSON at byte 2: syntax error"},
      {R"(["\ud800"])", "not JSON at byte 8: syntax error"},
      {"NaN", "not JSON at byte 0: syntax error"},
      {"\xef\xbb\xbf[]", "not JSON at byte 0: syntax error"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.text);
    const auto read = from_json_text<std::vector<int>>(row.text);
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().message, row.message);
  }
}

// Every prefix of a document and a thousand damaged copies: refused or read, never worse.
TEST(FromJsonText, SurvivesDamage) {
  const std::string text = to_json_text(example());
  for (std::size_t size = 0; size < text.size(); ++size) {
    EXPECT_FALSE(from_json_text<ServerView>(std::string_view(text).substr(0, size)));
  }
  std::mt19937 random(20261121);
  std::size_t refused = 0;
  for (int round = 0; round < 1000; ++round) {
    std::string damaged = text;
    for (int i = 0; i < 3; ++i) damaged[random() % damaged.size()] = static_cast<char>(random());
    refused += from_json_text<ServerView>(damaged) ? 0 : 1;
  }
  EXPECT_GT(refused, 500u);
}

}  // namespace
}  // namespace ginnel::http

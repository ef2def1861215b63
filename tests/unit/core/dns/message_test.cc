#include "core/dns/message.h"

#include <gtest/gtest.h>

#include "unit/core/dns/wire.h"

namespace ginnel::dns {
namespace {

using namespace test;

std::uint16_t field(const Bytes& bytes, std::size_t at) {
  return load<Be16>(ByteView(bytes).subspan(at));
}

TEST(ParseQuery, ReadsTheQuestionAndWhatTheClientCanTake) {
  WireMessage message;
  message.flags = 0x0130;  // Recursion, authentic data, checking disabled.
  message.additionals = {edns(4000, 0x8000, "\x01")};
  const auto query = parse_query(message.bytes());
  ASSERT_TRUE(query);
  EXPECT_EQ(query->id, 0x1234);
  EXPECT_EQ(query->question, (Question{wire_name("www.example"), kTypeA, 1}));
  EXPECT_TRUE(query->recursion_desired && query->authentic_data && query->checking_disabled);
  EXPECT_TRUE(query->has_edns && query->dnssec_ok);
  EXPECT_EQ(query->datagram_limit, kMaxDatagramBytes);
}

TEST(ParseQuery, KeepsTheSizeOfDatagramsWithinReason) {
  const std::pair<std::uint16_t, std::uint16_t> rows[] = {
      {0, 512}, {511, 512}, {512, 512}, {513, 513}, {1231, 1231}, {1232, 1232}, {1233, 1232}};
  for (const auto& [said, taken] : rows) {
    SCOPED_TRACE(said);
    WireMessage message;
    message.additionals = {edns(said)};
    EXPECT_EQ(parse_query(message.bytes()).value().datagram_limit, taken);
  }
  EXPECT_EQ(parse_query(WireMessage().bytes()).value().datagram_limit, kPlainDatagramBytes);
}

TEST(ParseQuery, NamesTheFlaw) {
  struct Row {
    const char* what;
    Bytes bytes;
    QueryFlaw flaw;
  };
  const auto changed = [](auto change) {
    WireMessage message;
    change(message);
    return message.bytes();
  };
  Bytes long_tail = WireMessage().bytes();
  long_tail.push_back(0);
  Bytes cut = WireMessage().bytes();
  cut.pop_back();
  Bytes two_questions = WireMessage().bytes();
  two_questions[5] = 2;
  Bytes no_question = WireMessage().bytes();
  no_question[5] = 0;
  const Row rows[] = {
      {"nothing", {}, QueryFlaw::NotAQuery},
      {"11 bytes", Bytes(11), QueryFlaw::NotAQuery},
      {"an answer", changed([](auto& m) { m.flags = 0x8100; }), QueryFlaw::NotAQuery},
      {"an update", changed([](auto& m) { m.flags = 0x2800; }), QueryFlaw::UnknownOperation},
      {"a tail", long_tail, QueryFlaw::Malformed},
      {"cut off", cut, QueryFlaw::Malformed},
      {"two questions", two_questions, QueryFlaw::Malformed},
      {"no question", no_question, QueryFlaw::Malformed},
      {"an answer in it", changed([](auto& m) { m.answers = {{wire_name("a")}}; }),
       QueryFlaw::Malformed},
      {"a pointer", changed([](auto& m) { m.question = kPointerToQuestion; }),
       QueryFlaw::Malformed},
      {"a label of 64", changed([](auto& m) { m.question = wire_name(std::string(64, 'a')); }),
       QueryFlaw::Malformed},
      {"two EDNS", changed([](auto& m) { m.additionals = {edns(512), edns(512)}; }),
       QueryFlaw::Malformed},
      {"EDNS of a name",
       changed([](auto& m) { m.additionals = {{wire_name("a"), kTypeOpt, 0, "", 512}}; }),
       QueryFlaw::Malformed},
      {"EDNS 1", changed([](auto& m) { m.additionals = {edns(512, 0x10000)}; }),
       QueryFlaw::UnknownEdns},
      {"a zone transfer", changed([](auto& m) { m.type = 252; }), QueryFlaw::Unwanted},
      {"chaos", changed([](auto& m) { m.space = 3; }), QueryFlaw::Unwanted},
      {"asks for EDNS", changed([](auto& m) { m.type = kTypeOpt; }), QueryFlaw::Malformed},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.what);
    const auto query = parse_query(row.bytes);
    ASSERT_FALSE(query);
    EXPECT_EQ(query.error(), row.flaw);
  }
}

TEST(ParseQuery, TakesNamesUpTo255Bytes) {
  const auto name_of = [](std::size_t bytes) {
    std::string name;
    while (bytes - name.size() > 65) name += '\x3f' + std::string(63, 'a');
    const std::size_t rest = bytes - name.size() - 2;
    return name + static_cast<char>(rest) + std::string(rest, 'b') + '\0';
  };
  WireMessage message;
  message.question = name_of(255);
  ASSERT_EQ(message.question.size(), 255u);
  EXPECT_TRUE(parse_query(message.bytes()));
  message.question = name_of(256);
  ASSERT_EQ(message.question.size(), 256u);
  EXPECT_FALSE(parse_query(message.bytes()));
}

TEST(MakeRefusal, SaysWhatIsWrongAndIsNeverLongerThanTheQuery) {
  const Bytes query = WireMessage().bytes();
  const std::pair<QueryFlaw, int> rows[] = {{QueryFlaw::Malformed, 1},
                                            {QueryFlaw::UnknownOperation, 4},
                                            {QueryFlaw::Unwanted, 5},
                                            {QueryFlaw::UnknownEdns, 0}};
  for (const auto& [flaw, code] : rows) {
    const Bytes refusal = make_refusal(query, flaw);
    EXPECT_EQ(field(refusal, 0), 0x1234);
    EXPECT_EQ(field(refusal, 2) & 0x800f, 0x8000 | code);
    EXPECT_LE(refusal.size(), query.size());
  }
  EXPECT_EQ(make_refusal(query, QueryFlaw::UnknownEdns)[kHeaderBytes + 5], 1);  // BADVERS
  EXPECT_TRUE(make_refusal(query, QueryFlaw::NotAQuery).empty());
}

TEST(Query, HasOneKeyForAllCasesOfAName) {
  WireMessage message;
  const std::string key = parse_query(message.bytes())->key();
  message.question = wire_name("WwW.EXAMPLE");
  message.id = 7;
  EXPECT_EQ(parse_query(message.bytes())->key(), key);
  message.type = 28;
  EXPECT_NE(parse_query(message.bytes())->key(), key);
  message.type = kTypeA;
  message.additionals = {edns(512, 0x8000)};  // Wants signatures.
  EXPECT_NE(parse_query(message.bytes())->key(), key);
}

TEST(ParseAnswer, BelievesForAsLongAsTheShortestTtl) {
  WireMessage message;
  message.flags = 0x8180;
  message.answers = {{kPointerToQuestion, kTypeCname, 300, wire_name("a")},
                     {wire_name("a"), kTypeA, 60}};
  message.authorities = {{wire_name("example"), 2, 5, wire_name("ns")}};
  EXPECT_EQ(parse_answer(message.bytes())->ttl_seconds, 60u);
}

TEST(ParseAnswer, KeepsWhatDoesNotExistAsLongAsTheZoneSays) {
  struct Row {
    std::uint32_t ttl, minimum;
    std::uint32_t kept;
  };
  const Row rows[] = {{900, 60, 60},
                      {30, 600, 30},
                      {86400, 86400, kMaxNegativeTtlSeconds},
                      {0x80000000, 60, 0},
                      {60, 0xffffffff, 0}};
  for (const Row& row : rows) {
    WireMessage message;
    message.flags = 0x8183;
    message.authorities = {soa(row.ttl, row.minimum)};
    const auto answer = parse_answer(message.bytes());
    EXPECT_EQ(answer->code, Code::NameError);
    EXPECT_EQ(answer->ttl_seconds, row.kept);
  }
  WireMessage silent;
  silent.flags = 0x8183;
  EXPECT_EQ(parse_answer(silent.bytes())->ttl_seconds, std::nullopt);
}

TEST(ParseAnswer, NeverKeepsAFailureOrMoreThanADay) {
  WireMessage message;
  message.flags = 0x8182;
  message.answers = {{kPointerToQuestion, kTypeA, 60}};
  EXPECT_EQ(parse_answer(message.bytes())->ttl_seconds, std::nullopt);
  message.flags = 0x8180;
  message.answers[0].ttl = kMaxTtlSeconds + 1;
  EXPECT_EQ(parse_answer(message.bytes())->ttl_seconds, kMaxTtlSeconds);
}

TEST(ParseAnswer, CutsEdnsOffAndReadsTheWholeCode) {
  WireMessage message;
  message.flags = 0x8180;
  message.answers = {{kPointerToQuestion, kTypeA, 60}};
  const Bytes plain = message.bytes();
  message.additionals = {edns(1232, 0, "option"), {wire_name("late")}};
  const auto answer = parse_answer(message.bytes());
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->stored.bytes, plain);
  EXPECT_EQ(answer->code, Code::NoError);
  message.additionals = {edns(1232, 0x01000000)};  // BADVERS
  EXPECT_EQ(parse_answer(message.bytes())->code, Code::ServerFailure);
}

TEST(ParseAnswer, RefusesWhatIsNone) {
  EXPECT_EQ(parse_answer({}).error(), AnswerFlaw::NotAnAnswer);
  EXPECT_EQ(parse_answer(WireMessage().bytes()).error(), AnswerFlaw::NotAnAnswer);
  WireMessage message;
  message.flags = 0x8180;
  message.answers = {{kPointerToQuestion, kTypeA, 60}};
  const Bytes whole = message.bytes();
  ASSERT_TRUE(parse_answer(whole));
  for (std::size_t size = kHeaderBytes; size < whole.size(); ++size) {
    SCOPED_TRACE(size);
    const auto answer = parse_answer(ByteView(whole).first(size));
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error(), AnswerFlaw::Malformed);
  }
  // A pointer to itself leads nowhere, and nobody follows it.
  message.answers[0].name = std::string("\xc0\x1d", 2);
  EXPECT_TRUE(parse_answer(message.bytes()));
}

// What a client without EDNS, in its own spelling, gets of an answer that is ten seconds old.
TEST(MakeReply, IsWhatThisClientAskedFor) {
  WireMessage upstream;
  upstream.id = 99;
  upstream.flags = 0x85b0;  // Authoritative, authentic, and checking disabled by somebody.
  upstream.answers = {{kPointerToQuestion, kTypeA, 60}, {kPointerToQuestion, kTypeA, 5}};
  const auto answer = parse_answer(upstream.bytes());
  WireMessage client;
  client.question = wire_name("WWW.example");
  const auto query = parse_query(client.bytes());

  const Bytes reply = make_reply(*query, answer->stored, 10, 512);
  WireMessage expected = client;
  expected.flags = 0x8180;
  expected.answers = {{kPointerToQuestion, kTypeA, 50}, {kPointerToQuestion, kTypeA, 0}};
  EXPECT_EQ(reply, expected.bytes());

  client.additionals = {edns(1232, 0x8000)};
  const auto verifying = parse_query(client.bytes());
  const Bytes verified = make_reply(*verifying, answer->stored, 0, 512);
  EXPECT_EQ(field(verified, 2), 0x81a0);
  EXPECT_EQ(field(verified, 10), 1);  // EDNS of ours.
}

TEST(MakeReply, SaysWhenItDoesNotFit) {
  WireMessage upstream;
  upstream.flags = 0x8180;
  upstream.answers = {{kPointerToQuestion, kTypeTxt, 60, std::string(100, 'x')}};
  const auto answer = parse_answer(upstream.bytes());
  const auto query = parse_query(WireMessage().bytes());
  const std::size_t size = answer->stored.bytes.size();
  EXPECT_EQ(make_reply(*query, answer->stored, 0, size).size(), size);
  const Bytes cut = make_reply(*query, answer->stored, 0, size - 1);
  EXPECT_EQ(field(cut, 2) & 0x0200, 0x0200);
  EXPECT_EQ(field(cut, 6), 0);
  EXPECT_LT(cut.size(), size);
}

TEST(MakeQuery, CarriesNothingOfTheClientsButItsQuestion) {
  WireMessage client;
  client.additionals = {edns(4096, 0x8000, "his name")};
  const auto query = parse_query(client.bytes());
  const Bytes sent = make_query({.id = 5, .question = query->question, .dnssec_ok = true});
  WireMessage expected;
  expected.id = 5;
  expected.additionals = {edns(kMaxDatagramBytes, 0x8000)};
  EXPECT_EQ(sent, expected.bytes());
}

TEST(PrintableName, IsReadable) {
  EXPECT_EQ(printable_name(wire_name("www.example")), "www.example.");
  EXPECT_EQ(printable_name(wire_name("")), ".");
  EXPECT_EQ(printable_name(std::string("\x03"
                                       "a.\n\0",
                                       5)),
            "a\\046\\010.");
}

}  // namespace
}  // namespace ginnel::dns

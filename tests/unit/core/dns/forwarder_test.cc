#include "core/dns/forwarder.h"

#include <gtest/gtest.h>

#include <set>

#include "support/seeded_rng.h"
#include "unit/core/dns/wire.h"

namespace ginnel::dns {
namespace {

using namespace test;

net::Endpoint endpoint(std::string_view text) { return net::Endpoint::parse(text).value(); }

Asker asker(std::string_view from, bool by_stream = false) {
  return {.path = {.remote = endpoint(from)}, .by_stream = by_stream};
}

WireMessage question(std::string_view name, std::uint16_t id = 0x1234) {
  WireMessage message;
  message.id = id;
  message.question = wire_name(name);
  return message;
}

// A forwarder with two upstreams, and what it wants done.
class ForwarderTest : public testing::Test {
 protected:
  ForwarderTest() { forwarder_.set_upstreams(now_, {kFirst, kSecond}, out_); }

  void ask(const WireMessage& message, const Asker& from = asker("10.0.0.2:4000")) {
    forwarder_.handle_query(now_, from, message.bytes(), out_);
  }
  Attempt take_attempt() {
    EXPECT_EQ(out_.attempts.size(), 1u);
    Attempt attempt = out_.attempts.empty() ? Attempt() : out_.attempts.back();
    out_.attempts.clear();
    return attempt;
  }
  std::vector<Reply> take_replies() { return std::exchange(out_.replies, {}); }
  // The code of the only reply.
  int take_code() {
    const auto replies = take_replies();
    EXPECT_EQ(replies.size(), 1u);
    return replies.empty() ? -1 : replies[0].bytes[3] & 0x0f;
  }
  void answer(const Attempt& attempt, const WireMessage& message) {
    forwarder_.handle_answer(now_, attempt.id, message.bytes(), out_);
  }
  WireMessage good_answer(const Attempt& attempt, std::uint32_t ttl = 60) {
    WireMessage message = answer_to(attempt.bytes);
    message.answers = {{kPointerToQuestion, kTypeA, ttl}};
    return message;
  }
  void run_until_timeout() {
    now_ = forwarder_.next_timeout();
    forwarder_.handle_timeout(now_, out_);
  }
  std::uint64_t count(Count count) const { return forwarder_.counters().of(count); }

  static inline const net::Endpoint kFirst = endpoint("192.0.2.1:53");
  static inline const net::Endpoint kSecond = endpoint("[2001:db8::1]:53");
  ginnel::test::SeededRng rng_{1};
  MonoTime now_{};
  ForwarderOutbox out_;
  Forwarder forwarder_{rng_};
};

TEST_F(ForwarderTest, AsksTheFirstAndThenAnswersByItself) {
  ask(question("www.example"));
  const Attempt attempt = take_attempt();
  EXPECT_EQ(attempt.upstream, kFirst);
  answer(attempt, good_answer(attempt));
  EXPECT_EQ(take_code(), 0);
  EXPECT_EQ(forwarder_.in_flight(), 0u);

  now_ += 59s;
  ask(question("WWW.example", 7));
  EXPECT_TRUE(out_.attempts.empty());
  const auto replies = take_replies();
  WireMessage expected = question("WWW.example", 7);
  expected.flags = 0x8180;
  expected.answers = {{kPointerToQuestion, kTypeA, 1}};
  ASSERT_EQ(replies.size(), 1u);
  EXPECT_EQ(replies[0].bytes, expected.bytes());
  EXPECT_EQ(count(Count::AnsweredFromCache), 1u);

  now_ += 1s;
  ask(question("www.example"));
  take_attempt();
}

TEST_F(ForwarderTest, RemembersWhatDoesNotExist) {
  ask(question("no.example"));
  const Attempt attempt = take_attempt();
  WireMessage denial = answer_to(attempt.bytes);
  denial.flags = 0x8183;
  denial.authorities = {soa(900, 30)};
  answer(attempt, denial);
  EXPECT_EQ(take_code(), 3);
  now_ += 29s;
  ask(question("no.example"));
  EXPECT_EQ(take_code(), 3);
  now_ += 1s;
  ask(question("no.example"));
  take_attempt();
}

TEST_F(ForwarderTest, BelievesOnlyTheAnswerToItsOwnQuestion) {
  ask(question("www.example"));
  const Attempt attempt = take_attempt();
  WireMessage wrong_id = good_answer(attempt);
  ++wrong_id.id;
  WireMessage wrong_name = good_answer(attempt);
  wrong_name.question = wire_name("www.evil.org");
  WireMessage wrong_type = good_answer(attempt);
  wrong_type.type = kTypeTxt;
  WireMessage no_answer = good_answer(attempt);
  no_answer.flags = 0x0100;
  for (const WireMessage& wrong : {wrong_id, wrong_name, wrong_type, no_answer}) {
    answer(attempt, wrong);
    EXPECT_TRUE(take_replies().empty());
  }
  EXPECT_EQ(count(Count::AnswersMismatched), 4u);
  answer(attempt, good_answer(attempt));
  EXPECT_EQ(take_code(), 0);
  answer(attempt, good_answer(attempt));  // Once more: nobody waits for it.
  EXPECT_TRUE(take_replies().empty());
}

TEST_F(ForwarderTest, AsksByTcpWhenSomebodyGuesses) {
  ask(question("www.example"));
  const Attempt attempt = take_attempt();
  WireMessage wrong = good_answer(attempt);
  for (unsigned i = 0; i < Forwarder::kMaxMismatches; ++i) {
    EXPECT_TRUE(out_.attempts.empty());
    ++wrong.id;
    answer(attempt, wrong);
  }
  const Attempt by_stream = take_attempt();
  EXPECT_TRUE(by_stream.by_stream);
  EXPECT_EQ(by_stream.upstream, kFirst);
  answer(attempt, good_answer(attempt));  // The right one, too late.
  EXPECT_TRUE(take_replies().empty());
  answer(by_stream, good_answer(by_stream));
  EXPECT_EQ(take_code(), 0);
}

TEST_F(ForwarderTest, AsksByTcpForWhatDoesNotFitADatagram) {
  ask(question("www.example"), asker("10.0.0.2:4000", true));
  const Attempt attempt = take_attempt();
  WireMessage cut = answer_to(attempt.bytes);
  cut.flags = 0x8380;
  answer(attempt, cut);
  const Attempt by_stream = take_attempt();
  EXPECT_TRUE(by_stream.by_stream);
  WireMessage big = answer_to(by_stream.bytes);
  for (int i = 0; i < 30; ++i) {
    big.answers.push_back({kPointerToQuestion, kTypeTxt, 60, std::string(200, 'x')});
  }
  answer(by_stream, big);
  const auto replies = take_replies();
  ASSERT_EQ(replies.size(), 1u);
  EXPECT_EQ(load<Be16>(ByteView(replies[0].bytes).subspan(6)), 30);
  // The same by UDP.
  ask(question("www.example"));
  EXPECT_EQ(take_replies()[0].bytes[2] & 0x02, 0x02);
}

TEST_F(ForwarderTest, GoesToTheNextWhenOneIsSilentAndRefusesInTheEnd) {
  ask(question("www.example"));
  std::vector<net::Endpoint> asked = {take_attempt().upstream};
  std::set<std::uint16_t> ids;
  const MonoTime begun = now_;
  while (out_.replies.empty()) {
    run_until_timeout();
    if (out_.replies.empty()) asked.push_back(take_attempt().upstream);
  }
  EXPECT_EQ(asked, (std::vector{kFirst, kSecond, kFirst}));
  EXPECT_EQ(now_ - begun, Forwarder::kPatience);
  EXPECT_EQ(take_code(), 2);
  EXPECT_EQ(forwarder_.next_timeout(), kNever);
}

TEST_F(ForwarderTest, GoesToTheNextWhenOneFailsOrRefuses) {
  for (const int code : {1, 2, 4, 5, 9}) {
    SCOPED_TRACE(code);
    ask(question("code" + std::to_string(code)));
    const Attempt first = take_attempt();
    WireMessage refusal = answer_to(first.bytes);
    refusal.flags = static_cast<std::uint16_t>(0x8180 | code);
    answer(first, refusal);
    const Attempt second = take_attempt();
    EXPECT_EQ(second.upstream, kSecond);
    answer(second, good_answer(second));
    EXPECT_EQ(take_code(), 0);
  }
}

TEST_F(ForwarderTest, SaysAtOnceThatNothingCanBeSent) {
  ask(question("www.example"));
  while (out_.replies.empty()) forwarder_.handle_failure(now_, take_attempt().id, out_);
  EXPECT_EQ(take_code(), 2);
  EXPECT_EQ(now_, MonoTime{});
}

TEST_F(ForwarderTest, SaysAtOnceThatAllHaveBeenSilent) {
  for (unsigned i = 0; i < 2 * Upstreams::kMaxSilences; ++i) {
    ask(question("silent" + std::to_string(i)));
  }
  while (forwarder_.in_flight() != 0) run_until_timeout();
  now_ += Upstreams::kRest;
  out_ = {};
  ask(question("probe1"));
  EXPECT_EQ(take_attempt().upstream, kFirst);
  ask(question("probe2"));
  const Attempt probe = take_attempt();
  EXPECT_EQ(probe.upstream, kSecond);
  ask(question("www.example"));
  EXPECT_TRUE(out_.attempts.empty());
  EXPECT_EQ(take_code(), 2);
  answer(probe, good_answer(probe));
  EXPECT_EQ(take_code(), 0);
  ask(question("www.example"));
  EXPECT_EQ(take_attempt().upstream, kSecond);
}

TEST_F(ForwarderTest, AsksNobodyWhenItHasNobodyToAsk) {
  forwarder_.set_upstreams(now_, {}, out_);
  ask(question("www.example"));
  EXPECT_TRUE(out_.attempts.empty());
  EXPECT_EQ(take_code(), 2);
}

TEST_F(ForwarderTest, AsksAgainWhenTheUpstreamsChange) {
  ask(question("www.example"));
  const Attempt attempt = take_attempt();
  answer(attempt, good_answer(attempt));
  ask(question("other.example"));
  const Attempt old = take_attempt();
  out_ = {};
  forwarder_.set_upstreams(now_, {kSecond}, out_);
  const Attempt again = take_attempt();
  EXPECT_EQ(again.upstream, kSecond);
  EXPECT_EQ(out_.ended, std::vector{old.id});
  ask(question("www.example"));  // What the old one said counts for nothing.
  EXPECT_EQ(take_attempt().upstream, kSecond);
}

TEST_F(ForwarderTest, AsksOnceForAllWhoWantTheSame) {
  ask(question("www.example", 1), asker("10.0.0.2:1"));
  ask(question("www.EXAMPLE", 2), asker("10.0.0.3:1"));
  ask(question("www.example", 1), asker("10.0.0.2:1"));  // Impatient.
  const Attempt attempt = take_attempt();
  answer(attempt, good_answer(attempt));
  const auto replies = take_replies();
  ASSERT_EQ(replies.size(), 2u);
  EXPECT_EQ(load<Be16>(replies[0].bytes), 1);
  EXPECT_EQ(load<Be16>(replies[1].bytes), 2);
}

TEST_F(ForwarderTest, LetsSoManyWaitForOneAnswer) {
  for (std::uint16_t i = 0; i < Forwarder::kMaxWaiting + 1; ++i) {
    ask(question("www.example", i));
  }
  EXPECT_EQ(count(Count::DroppedOverload), 1u);
  const Attempt attempt = take_attempt();
  answer(attempt, good_answer(attempt));
  EXPECT_EQ(take_replies().size(), Forwarder::kMaxWaiting);
}

TEST_F(ForwarderTest, HasSoManyQuestionsInFlight) {
  for (std::size_t i = 0; i < Forwarder::kMaxInFlightPerSource + 1; ++i) {
    ask(question("n" + std::to_string(i)));
  }
  EXPECT_EQ(forwarder_.in_flight(), Forwarder::kMaxInFlightPerSource);
  EXPECT_EQ(count(Count::DroppedOverload), 1u);
  for (std::size_t i = 0; i < Forwarder::kMaxInFlight; ++i) {
    const std::string from = "10.0.1." + std::to_string(i % 250) + ":1";
    ask(question("m" + std::to_string(i)), asker(from));
  }
  EXPECT_EQ(forwarder_.in_flight(), Forwarder::kMaxInFlight);
  EXPECT_TRUE(take_replies().empty());
  // All of it ends by itself.
  while (forwarder_.in_flight() != 0) run_until_timeout();
  ask(question("after"));
  EXPECT_EQ(forwarder_.in_flight(), 1u);
}

TEST_F(ForwarderTest, HasSoManyTcpConnectionsOpen) {
  for (std::size_t i = 0; i < Forwarder::kMaxStreamsInFlight + 1; ++i) {
    const std::string from = "10.0.1." + std::to_string(i) + ":1";
    ask(question("m" + std::to_string(i)), asker(from));
    const Attempt attempt = take_attempt();
    WireMessage cut = answer_to(attempt.bytes);
    cut.flags = 0x8380;
    answer(attempt, cut);
    EXPECT_EQ(out_.attempts.size(), i < Forwarder::kMaxStreamsInFlight ? 1u : 0u);
    out_.attempts.clear();
  }
  EXPECT_EQ(take_code(), 2);
  while (forwarder_.in_flight() != 0) run_until_timeout();
}

TEST_F(ForwarderTest, DropsWhatOneSourceAsksTooOften) {
  for (int i = 0; i < SourceLimiter::kBurst + 5; ++i) ask(question("www.example"));
  EXPECT_EQ(count(Count::DroppedRateLimited), 5u);
}

TEST_F(ForwarderTest, TellsWhatIsWrongWithAQuery) {
  WireMessage message = question("www.example");
  message.space = 3;
  ask(message);
  EXPECT_EQ(take_code(), 5);
  forwarder_.handle_query(now_, asker("10.0.0.2:1"), Bytes(5), out_);
  EXPECT_TRUE(out_.replies.empty());
  EXPECT_EQ(count(Count::QueriesMalformed), 2u);
}

TEST_F(ForwarderTest, AsksNobodyAboutNamesThatAreNowhere) {
  ask(question("secret.onion"));
  EXPECT_EQ(take_code(), 3);
  EXPECT_TRUE(out_.attempts.empty());
  EXPECT_EQ(count(Count::AnsweredHere), 1u);
}

TEST_F(ForwarderTest, ChoosesIdsByChance) {
  std::set<std::uint16_t> ids;
  for (int i = 0; i < 50; ++i) {
    ask(question("n" + std::to_string(i)));
    ids.insert(load<Be16>(take_attempt().bytes));
  }
  EXPECT_GT(ids.size(), 45u);
}

TEST_F(ForwarderTest, MixesCaseWhereItIsToldTo) {
  Forwarder mixing(rng_, true);
  mixing.set_upstreams(now_, {kFirst}, out_);
  mixing.handle_query(now_, asker("10.0.0.2:1"), question("abcdefghijklmnopqrstuvwxyz").bytes(),
                      out_);
  const Attempt attempt = take_attempt();
  WireMessage same = answer_to(attempt.bytes);
  same.answers = {{kPointerToQuestion, kTypeA, 60}};
  WireMessage small = same;
  small.question = wire_name("abcdefghijklmnopqrstuvwxyz");
  ASSERT_NE(small.question, same.question);
  mixing.handle_answer(now_, attempt.id, small.bytes(), out_);
  EXPECT_TRUE(take_replies().empty());
  mixing.handle_answer(now_, attempt.id, same.bytes(), out_);
  const auto replies = take_replies();
  ASSERT_EQ(replies.size(), 1u);
  small.id = 0x1234;
  small.flags = 0x8180;
  EXPECT_EQ(replies[0].bytes, small.bytes());
}

}  // namespace
}  // namespace ginnel::dns

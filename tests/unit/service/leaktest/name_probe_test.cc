#include "service/leaktest/name_probe.h"

#include <gtest/gtest.h>

namespace ginnel::leaktest {
namespace {

net::Address to_address(std::string_view text) { return net::Address::parse(text).value(); }

TEST(NameProbe, TellsWhoAsked) {
  for (std::string_view text : {"10.2.0.2", "fd02::2"}) {
    const dns::Bytes answer = make_name_answer(make_name_question(77), to_address(text));
    EXPECT_EQ(read_name_answer(answer, 77), to_address(text));
    EXPECT_EQ(read_name_answer(answer, 78), std::nullopt);
  }
}

TEST(NameProbe, AnswersNothingButQuestions) {
  const dns::Bytes answer = make_name_answer(make_name_question(1), to_address("10.2.0.2"));
  EXPECT_TRUE(make_name_answer(answer, to_address("10.2.0.2")).empty());
  EXPECT_TRUE(make_name_answer({}, to_address("10.2.0.2")).empty());
}

TEST(NameProbe, ReadsNothingIntoACutOffAnswer) {
  dns::Bytes answer = make_name_answer(make_name_question(1), to_address("10.2.0.2"));
  while (!answer.empty()) {
    answer.pop_back();
    EXPECT_EQ(read_name_answer(answer, 1), std::nullopt) << answer.size();
  }
}

}  // namespace
}  // namespace ginnel::leaktest

#include "http/target.h"

#include <gtest/gtest.h>

#include <random>

namespace ginnel::http {
namespace {

using Segments = std::vector<std::string>;

TEST(Target, IsTakenApartAndDecoded) {
  struct Row {
    std::string_view text;
    Target target;
  };
  const Row rows[] = {
      {"/", {}},
      {"/peers", {.segments = {"peers"}}},
      {"/peers/", {.segments = {"peers"}, .trailing_slash = true}},
      {"/a//b", {.segments = {"a", "", "b"}}},
      {"//", {.segments = {""}, .trailing_slash = true}},
      {"/a%2Fb/%c3%bc+", {.segments = {"a/b", "\xc3\xbc+"}}},
      {"/p?", {.segments = {"p"}}},
      {"/p?a=1&b&&c=x=y&=z&a=2",
       {.segments = {"p"}, .query = {{"a", "1"}, {"b", ""}, {"c", "x=y"}, {"", "z"}, {"a", "2"}}}},
      {"/?q=a+b%2Bc%26", {.query = {{"q", "a b+c&"}}}},
      {"/p?next=/q?r=1", {.segments = {"p"}, .query = {{"next", "/q?r=1"}}}},
      {"/...", {.segments = {"..."}}},
      {"http://host:80/p?a=1", {.segments = {"p"}, .query = {{"a", "1"}}}},
      {"HTTPS://host", {}},
      {"http://host?a=1", {.query = {{"a", "1"}}}},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.text);
    const auto target = Target::parse(row.text);
    ASSERT_TRUE(target) << target.error().message;
    EXPECT_EQ(*target, row.target);
    EXPECT_EQ(Target::parse(target->to_string()), *target) << target->to_string();
  }
}

TEST(Target, RefusesWhatIsBrokenOrClimbs) {
  for (const std::string_view text :
       {"",          "*",   "p",       "ftp://host/", "/a b",      "/a#b",      "/\x01", "/\x7f",
        "/\xc3\xbc", "/%",  "/%4",     "/%zz",        "/%00",      "/%0a",      "/%7f",  "/?a=%0d",
        "/?%1=",     "/..", "/a/../b", "/.",          "/%2e%2E/x", "http:/host"}) {
    SCOPED_TRACE(text);
    EXPECT_FALSE(Target::parse(text));
  }
}

TEST(Target, KeepsItsLimits) {
  const auto repeated = [](std::string_view piece, std::size_t count) {
    std::string text;
    for (std::size_t i = 0; i < count; ++i) text += piece;
    return text;
  };
  EXPECT_TRUE(Target::parse("/" + std::string(Target::kMaxBytes - 2, 'a')));
  EXPECT_TRUE(Target::parse("/" + std::string(Target::kMaxBytes - 1, 'a')));
  EXPECT_FALSE(Target::parse("/" + std::string(Target::kMaxBytes, 'a')));

  EXPECT_TRUE(Target::parse(repeated("/a", Target::kMaxSegments - 1)));
  EXPECT_TRUE(Target::parse(repeated("/a", Target::kMaxSegments) + "/"));
  EXPECT_FALSE(Target::parse(repeated("/a", Target::kMaxSegments + 1)));

  EXPECT_TRUE(Target::parse("/?" + repeated("a=1&", Target::kMaxParameters - 1)));
  EXPECT_TRUE(Target::parse("/?" + repeated("a=1&", Target::kMaxParameters)));
  EXPECT_FALSE(Target::parse("/?" + repeated("a=1&", Target::kMaxParameters + 1)));
}

TEST(Target, FindsTheFirstParameterOfAName) {
  const auto target = Target::parse("/?a=1&b=&a=2");

  ASSERT_TRUE(target);
  EXPECT_EQ(target->parameter("a"), "1");
  EXPECT_EQ(target->parameter("b"), "");
  EXPECT_EQ(target->parameter("c"), std::nullopt);
}

// Whatever is accepted is written and read back as the same.
TEST(Target, RoundTripsWhateverItAccepts) {
  constexpr std::string_view kAlphabet = "/?&=+%.aF20~#";
  std::mt19937 random(20261121);
  std::size_t accepted = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::string text = "/";
    for (std::size_t i = random() % 12; i > 0; --i) text += kAlphabet[random() % kAlphabet.size()];
    const auto target = Target::parse(text);
    if (!target) continue;
    ++accepted;
    EXPECT_EQ(Target::parse(target->to_string()), *target) << text;
  }
  EXPECT_GT(accepted, 1000u);
}

}  // namespace
}  // namespace ginnel::http

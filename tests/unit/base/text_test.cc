#include "base/text.h"

#include <gtest/gtest.h>

#include <random>

namespace ginnel {
namespace {

ByteView view(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

TEST(ParseCNumber, ReadsWhatStrtoulReads) {
  struct Row {
    std::string_view text;
    int base;
    std::optional<std::uint64_t> value;
  };
  const Row rows[] = {
      {"0", 0, 0},
      {"10", 0, 10},
      {"010", 0, 8},
      {"010", 10, 10},
      {"0x1F", 0, 31},
      {"0X1f", 0, 31},
      {"+7", 0, 7},
      {"-0x1", 0, UINT64_MAX},
      {"-18446744073709551615", 10, 1},
      {"18446744073709551615", 0, UINT64_MAX},
      {"18446744073709551616", 0, std::nullopt},
      {"08", 0, std::nullopt},
      {"0x", 0, std::nullopt},
      {"0x+1", 0, std::nullopt},
      {"0x10", 10, std::nullopt},
      {"", 0, std::nullopt},
      {"-", 0, std::nullopt},
      {"+-1", 0, std::nullopt},
      {"1 ", 0, std::nullopt},
  };
  for (const Row& row : rows) EXPECT_EQ(parse_c_number(row.text, row.base), row.value) << row.text;
}

TEST(Trim, TakesWhiteSpaceFromBothEndsOnly) {
  const std::pair<std::string_view, std::string_view> rows[] = {
      {"", ""},
      {" \t\r\n\v\f", ""},
      {"a", "a"},
      {" a b\t", "a b"},
      {"\x1f"
       "a",
       "\x1f"
       "a"},
      {"a\xa0", "a\xa0"},
  };
  for (const auto& [text, expected] : rows) {
    SCOPED_TRACE(text);
    EXPECT_EQ(trim(text), expected);
  }
}

TEST(Split, GivesOnePieceMoreThanSeparators) {
  using Pieces = std::vector<std::string_view>;
  EXPECT_EQ(split("", ','), (Pieces{""}));
  EXPECT_EQ(split(",", ','), (Pieces{"", ""}));
  EXPECT_EQ(split("a, b,", ','), (Pieces{"a", " b", ""}));
  EXPECT_EQ(split("a b", ','), (Pieces{"a b"}));
}

TEST(EqualIgnoringCase, KnowsAsciiLettersOnly) {
  EXPECT_TRUE(equal_ignoring_case("", ""));
  EXPECT_TRUE(equal_ignoring_case("AllowedIPs", "allowedips"));
  EXPECT_FALSE(equal_ignoring_case("a", "ab"));
  EXPECT_FALSE(equal_ignoring_case("[", "{"));  // 0x20 apart, as letters are.
  EXPECT_FALSE(equal_ignoring_case("\xc4", "\xe4"));
}

TEST(ParseNumber, TakesTheWholeTextAndTheWholeRange) {
  struct Row {
    std::string_view text;
    std::optional<int> expected;  // With limits -1 and 65535.
  };
  const Row rows[] = {
      {"0", 0},
      {"65535", 65535},
      {"-1", -1},
      {"007", 7},
      {"65536", {}},
      {"-2", {}},
      {"", {}},
      {" 1", {}},
      {"1 ", {}},
      {"+1", {}},
      {"1.0", {}},
      {"0x10", {}},
      {"99999999999", {}},
      {"-", {}},
      {std::string_view("1\0", 2), {}},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.text);
    EXPECT_EQ(parse_number<int>(row.text, -1, 65535), row.expected);
  }
  EXPECT_EQ(parse_number<std::uint64_t>("18446744073709551615", 0, UINT64_MAX), UINT64_MAX);
  EXPECT_EQ(parse_number<std::uint64_t>("18446744073709551616", 0, UINT64_MAX), std::nullopt);
  EXPECT_EQ(parse_number<unsigned>("-0", 0, 9), std::nullopt);
  EXPECT_EQ(parse_number<std::uint8_t>("256", 0, 255), std::nullopt);
}

TEST(Hex, ReadsWhatItWritesAndEitherCase) {
  std::array<std::uint8_t, 256> all;
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<std::uint8_t>(i);
  const std::string text = to_hex(all);
  EXPECT_EQ(text.substr(0, 34), "000102030405060708090a0b0c0d0e0f10");

  std::array<std::uint8_t, 256> back{};
  EXPECT_TRUE(from_hex(text, back));
  EXPECT_EQ(back, all);

  std::array<std::uint8_t, 2> two{};
  EXPECT_TRUE(from_hex("AbCd", two));
  EXPECT_EQ(two, (std::array<std::uint8_t, 2>{0xab, 0xcd}));
}

TEST(Hex, RefusesOtherLengthsAndEveryOtherCharacter) {
  std::array<std::uint8_t, 1> out{};
  EXPECT_FALSE(from_hex("", out));
  EXPECT_FALSE(from_hex("0", out));
  EXPECT_FALSE(from_hex("000", out));
  EXPECT_TRUE(from_hex("", ByteSpan{}));
  for (int c = 0; c < 256; ++c) {
    SCOPED_TRACE(c);
    const char digit = static_cast<char>(c);
    const bool is_digit = c != 0 && std::strchr("0123456789abcdefABCDEF", c) != nullptr;
    EXPECT_EQ(from_hex(std::string{digit, '0'}, out), is_digit);
    EXPECT_EQ(from_hex(std::string{'0', digit}, out), is_digit);
  }
}

TEST(Base64, AgreesWithTheExamplesOfRfc4648) {
  const std::pair<std::string_view, std::string_view> rows[] = {
      {"", ""},
      {"f", "Zg=="},
      {"fo", "Zm8="},
      {"foo", "Zm9v"},
      {"foob", "Zm9vYg=="},
      {"fooba", "Zm9vYmE="},
      {"foobar", "Zm9vYmFy"},
  };
  for (const auto& [plain, encoded] : rows) {
    SCOPED_TRACE(plain);
    EXPECT_EQ(to_base64(view(plain)), encoded);
    std::vector<std::uint8_t> out(plain.size());
    EXPECT_TRUE(from_base64(encoded, out));
    EXPECT_TRUE(std::ranges::equal(out, view(plain)));
  }
}

TEST(Base64, ReadsBackRandomBytesOfEveryLength) {
  std::mt19937 random(1);
  for (std::size_t size = 0; size <= 100; ++size) {
    SCOPED_TRACE(size);
    std::vector<std::uint8_t> bytes(size);
    for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(random());
    std::vector<std::uint8_t> back(size);
    EXPECT_TRUE(from_base64(to_base64(bytes), back));
    EXPECT_EQ(back, bytes);
  }
}

// A key has one spelling. Whoever compares texts instead of bytes is not fooled by a second one.
TEST(Base64, RefusesEverySpellingButOne) {
  struct Row {
    std::string_view text;
    std::size_t size;
  };
  const Row rows[] = {
      {"Zg==", 2}, {"Zg==", 0},   {"Zg=", 1},   {"Zg", 1},   {"Zg==Zg==", 1}, {"Zh==", 1},
      {"Zm9=", 2}, {"Zm8=\n", 2}, {" Zg=", 1},  {"Z===", 1}, {"====", 1},     {"Zg=A", 1},
      {"Z=g=", 1}, {"Zm=v", 3},   {"Zm9\0", 3}, {"Zm9-", 3}, {"Zm9_", 3},     {"Zm9=", 3},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(testing::Message() << row.text << " as " << row.size << " bytes");
    std::vector<std::uint8_t> out(row.size);
    EXPECT_FALSE(from_base64(row.text, out));
  }
}

TEST(Base64, KnowsItsAlphabetExactly) {
  std::array<std::uint8_t, 3> out{};
  for (int c = 0; c < 256; ++c) {
    SCOPED_TRACE(c);
    const bool is_digit = std::isalnum(c) != 0 || c == '+' || c == '/';
    EXPECT_EQ(from_base64(std::string{'A', static_cast<char>(c), 'A', 'A'}, out), is_digit);
  }
}

}  // namespace
}  // namespace ginnel

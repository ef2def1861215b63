#include "core/config/toml_reader.h"

#include <gtest/gtest.h>

#include "net/prefix.h"

namespace ginnel::config {
namespace {

struct Everything {
  std::optional<std::string> text;
  std::optional<std::int64_t> number;
  std::optional<bool> flag;
  std::optional<net::Prefix> subnet;
  std::optional<std::vector<net::Prefix>> prefixes;
};

Result<Everything> read(std::string_view toml) {
  auto document = TomlDocument::parse("f.toml", std::string(toml));
  if (!document) return pass(std::move(document));
  TomlReader reader(*document, document->root(), "[server]");
  Everything result;
  if (const auto text = reader.text("text")) result.text = std::string(text->text);
  result.number = reader.number("number", 10, 20);
  result.flag = reader.boolean("flag");
  result.subnet = reader.parsed("subnet", &net::Prefix::parse);
  result.prefixes = reader.parsed_list("prefixes", &net::Prefix::parse);
  if (Status read = reader.finish(); !read) return pass(std::move(read));
  return result;
}

TEST(TomlReader, ReadsEveryKind) {
  const auto result = read(
      "text = 'x'\nnumber = 10\nflag = true\nsubnet = '10.0.0.0/8'\n"
      "prefixes = ['10.0.0.1/32', '::/0']\n");
  ASSERT_TRUE(result);
  EXPECT_EQ(result->text, "x");
  EXPECT_EQ(result->number, 10);
  EXPECT_EQ(result->flag, true);
  EXPECT_EQ(result->subnet->to_string(), "10.0.0.0/8");
  ASSERT_EQ(result->prefixes->size(), 2u);
  EXPECT_EQ((*result->prefixes)[1].to_string(), "::/0");
}

TEST(TomlReader, TakesOneTextForAListAndTellsAbsentFromEmpty) {
  EXPECT_EQ(read("prefixes = '10.0.0.1/32'")->prefixes->size(), 1u);
  EXPECT_EQ(read("prefixes = []")->prefixes->size(), 0u);
  EXPECT_FALSE(read("")->prefixes);
}

TEST(TomlReader, RefusesWithFileLineKeyAndRemedy) {
  struct Row {
    std::string_view toml;
    std::string_view message;
  };
  const Row rows[] = {
      {"text = 1", "f.toml:1: text: must be text; write it in quotes"},
      {"number = '10'", "f.toml:1: number: must be a number from 10 to 20, without quotes"},
      {"number = 9", "f.toml:1: number: must be a number from 10 to 20, without quotes"},
      {"number = 21", "f.toml:1: number: must be a number from 10 to 20, without quotes"},
      {"number = 10.5", "f.toml:1: number: must be a number from 10 to 20, without quotes"},
      {"flag = 'yes'", "f.toml:1: flag: must be true or false, without quotes"},
      {"subnet = '10.0.0.1/8'", "f.toml:1: subnet: 10.0.0.1/8 has host bits set; write 10.0.0.0/8"},
      {"\nprefixes = 7", "f.toml:2: prefixes: must be a list of texts, as [\"one\", \"two\"]"},
      {"prefixes = ['::/0',\n7]",
       "f.toml:2: prefixes: every item of the list must be text; write it in quotes"},
      {"prefixes = ['::/0',\n\n'10.0.0.1/8']",
       "f.toml:3: prefixes: 10.0.0.1/8 has host bits set; write 10.0.0.0/8"},
      {"subnt = 'x'", "f.toml:1: subnt: unknown key in [server]; did you mean \"subnet\"?"},
      {"colour = 'x'",
       "f.toml:1: colour: unknown key in [server]; the keys are text, number, flag, subnet, "
       "prefixes"},
      {"\"a\\nb\" = 1",
       "f.toml:1: a?b: unknown key in [server]; the keys are text, number, flag, subnet, "
       "prefixes"},
      {"number = 0\nflag = 0", "f.toml:1: number: must be a number from 10 to 20, without quotes"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.toml);
    const auto result = read(row.toml);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().message, row.message);
  }
}

TEST(NearestKey, SuggestsOnlyWhatIsNear) {
  const std::vector<std::string_view> known = {"public_key", "private_key", "mtu", "dns"};
  EXPECT_EQ(nearest_key("publickey", known), "public_key");
  EXPECT_EQ(nearest_key("PublicKey", known), "public_key");
  EXPECT_EQ(nearest_key("mut", known), "mtu");
  EXPECT_EQ(nearest_key("public", known), "public_key");
  EXPECT_EQ(nearest_key("xyz", known), std::nullopt);
  EXPECT_EQ(nearest_key(std::string(kMaxShownKey + 1, 'd'), known), std::nullopt);
}

}  // namespace
}  // namespace ginnel::config

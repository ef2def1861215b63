#include "cli/args.h"

#include <gtest/gtest.h>

#include "unit/cli/string_io.h"

namespace ginnel::cli {
namespace {

using Words = std::vector<std::string>;

constexpr Argument kOneName[] = {{.name = "NAME", .help = "a name"}};
constexpr Argument kNameAndRest[] = {{.name = "NAME", .help = "a name"},
                                     {.name = "WORD", .help = "words", .count = Count::Any}};
constexpr Flag kFlags[] = {
    {.name = "--json", .help = "a switch", .also = "-j"},
    {.name = "--listen-port", .value = "PORT", .help = "a value", .also = "--port"},
    {.name = "--peer", .value = "KEY", .help = "a list", .repeatable = true},
    {.name = "--auth-key", .value = "KEY", .help = "a secret", .secret = true},
};

Verb verb(std::span<const Argument> arguments = {}) {
  return {.name = "test",
          .summary = "test",
          .arguments = arguments,
          .flags = kFlags,
          .exits = {},
          .example = "",
          .page = "",
          .run = nullptr};
}

Args parsed(Words words, const StringIo& io = {}, std::span<const Argument> arguments = {}) {
  auto args = Args::parse(verb(arguments), std::move(words), io);
  if (!args) ADD_FAILURE() << args.error().message;
  return std::move(args).value();
}

// The error message, or "" when there is none.
std::string refused(Words words, const StringIo& io = {},
                    std::span<const Argument> arguments = {}) {
  const auto args = Args::parse(verb(arguments), std::move(words), io);
  if (args) return "";
  EXPECT_EQ(args.error().code, ErrorCode::InvalidArgument);
  return args.error().message;
}

TEST(Args, ReadsSwitchesValuesAndLists) {
  const Args none = parsed({});
  EXPECT_FALSE(none.flag("--json"));
  EXPECT_EQ(none.value("--listen-port"), std::nullopt);
  EXPECT_TRUE(none.values("--peer").empty());

  const Args all = parsed({"--json", "--listen-port=51820", "--peer", "a", "--peer=b=c"});
  EXPECT_TRUE(all.flag("--json"));
  EXPECT_EQ(all.value("--listen-port"), "51820");
  EXPECT_TRUE(std::ranges::equal(all.values("--peer"), Words{"a", "b=c"}));
}

TEST(Args, TakesASwitchWithItsValue) {
  EXPECT_TRUE(parsed({"--json=true"}).flag("--json"));
  EXPECT_FALSE(parsed({"--json=false"}).flag("--json"));
  EXPECT_EQ(refused({"--json=perhaps"}), "--json is true or false, not \"perhaps\"");
}

TEST(Args, KnowsOtherSpellings) {
  EXPECT_TRUE(parsed({"-j"}).flag("--json"));
  EXPECT_EQ(parsed({"--port", "1"}).value("--listen-port"), "1");
}

TEST(Args, KeepsPositionalsInOrderBetweenFlags) {
  const Args args = parsed({"a", "--json", "b", "-", "--", "--json", "-x", "--"}, {}, kNameAndRest);
  EXPECT_TRUE(args.flag("--json"));
  EXPECT_TRUE(std::ranges::equal(args.positionals(), Words{"a", "b", "-", "--json", "-x", "--"}));
  EXPECT_EQ(args.positional(0), "a");
  EXPECT_EQ(args.positional(6), "");
}

TEST(Args, CountsItsArguments) {
  EXPECT_EQ(parsed({"a"}, {}, kOneName).positional(0), "a");
  EXPECT_EQ(refused({}, {}, kOneName),
            "NAME is missing; \"ginnel test --help\" shows how to write it");
  EXPECT_EQ(refused({"a", "b"}, {}, kOneName),
            "\"b\" is one argument too many; \"ginnel test --help\" shows how to write it");
  EXPECT_NE(refused({"a"}), "");
}

TEST(Args, RefusesAFlagGivenTwiceUnlessItIsAList) {
  EXPECT_EQ(refused({"--listen-port=1", "--listen-port=1"}),
            "--listen-port is given twice; give it once");
  EXPECT_EQ(refused({"--listen-port=1", "--port=1"}), "--listen-port is given twice; give it once");
  EXPECT_EQ(refused({"--json", "--json"}), "--json is given twice; give it once");
}

TEST(Args, SaysWhatWasMeantByAnUnknownFlag) {
  EXPECT_EQ(refused({"--jsno"}), "unknown flag --jsno; did you mean --json?");
  EXPECT_EQ(refused({"--listen_port=1"}),
            "unknown flag --listen_port; did you mean --listen-port?");
  EXPECT_EQ(refused({"--colour"}), "unknown flag --colour; --help lists the flags");
  EXPECT_EQ(refused({"-x"}), "unknown flag -x; --help lists the flags");
}

TEST(Args, RefusesAFlagWithoutItsValue) {
  const std::string expected = "--listen-port needs a value: --listen-port PORT";
  EXPECT_EQ(refused({"--listen-port"}), expected);
  EXPECT_EQ(refused({"--listen-port", "--json"}), expected);
  EXPECT_EQ(refused({"--listen-port", "--", "1"}), expected);
  EXPECT_EQ(refused({"--listen-port="}), "--listen-port= has no value");
  EXPECT_NE(refused({"--port"}), "");
}

TEST(Args, TakesFromTheEnvironmentWhatIsNotOnTheLine) {
  StringIo io;
  io.variables = {{"GINNEL_JSON", "yes"}, {"GINNEL_LISTEN_PORT", "1"}, {"GINNEL_PEER", "a  b"}};
  const Args args = parsed({}, io);
  EXPECT_TRUE(args.flag("--json"));
  EXPECT_EQ(args.value("--listen-port"), "1");
  EXPECT_TRUE(std::ranges::equal(args.values("--peer"), Words{"a", "b"}));

  const Args line = parsed({"--json=false", "--listen-port=2", "--peer=c"}, io);
  EXPECT_FALSE(line.flag("--json"));
  EXPECT_EQ(line.value("--listen-port"), "2");
  EXPECT_TRUE(std::ranges::equal(line.values("--peer"), Words{"c"}));

  io.variables = {{"GINNEL_JSON", "maybe"}};
  EXPECT_EQ(refused({}, io), "GINNEL_JSON is true or false, not \"maybe\"");
}

TEST(Args, TakesNoSecretFromTheEnvironmentButTheNameOfItsFile) {
  StringIo io;
  io.variables = {{"GINNEL_AUTH_KEY", "file:/etc/key"}};
  EXPECT_EQ(parsed({}, io).value("--auth-key"), "file:/etc/key");
  io.variables = {{"GINNEL_AUTH_KEY", "s3cret"}};
  const std::string message = refused({}, io);
  EXPECT_NE(message.find("set it to file:PATH"), std::string::npos);
  EXPECT_EQ(message.find("s3cret"), std::string::npos);
}

TEST(Args, WidensSingleDashesForVerbsThatAskForIt) {
  Verb wide = verb(kNameAndRest);
  wide.single_dash_words = true;
  const auto args =
      Args::parse(wide, {"-listen-port", "1", "-j", "-peer=k", "x", "--", "-json"}, StringIo());
  ASSERT_TRUE(args) << args.error().message;
  EXPECT_EQ(args->value("--listen-port"), "1");
  EXPECT_TRUE(args->flag("--json"));
  EXPECT_TRUE(std::ranges::equal(args->positionals(), Words{"x", "-json"}));
}

TEST(Args, ReadsNumbersWithinTheirLimits) {
  const auto number = [](const std::string& text) {
    return parsed({"--listen-port=" + text}).number<int>("--listen-port", 1, 65535, 7);
  };
  EXPECT_EQ(number("1"), 1);
  EXPECT_EQ(number("65535"), 65535);
  EXPECT_EQ(number("65536").error().message,
            "--listen-port: \"65536\" is not a number from 1 to 65535");
  EXPECT_FALSE(number("0"));
  EXPECT_FALSE(number("x"));
  EXPECT_EQ(parsed({}).number<int>("--listen-port", 1, 65535, 7), 7);
}

TEST(ArgsDeathTest, IsNotAskedForAFlagThatTheVerbDoesNotDeclare) {
  EXPECT_DEATH(parsed({}).flag("--other"), "given_.end");
}

}  // namespace
}  // namespace ginnel::cli

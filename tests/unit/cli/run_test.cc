#include "cli/run.h"

#include <gtest/gtest.h>

#include <set>

#include "base/text.h"
#include "cli/exit_code.h"
#include "cli/verbs.h"
#include "unit/cli/string_io.h"

namespace ginnel::cli {
namespace {

struct Outcome {
  int code;
  std::string out, err;
};

Outcome outcome(std::vector<std::string> words) {
  StringIo io;
  const int code = run(std::move(words), io);
  return {code, io.out_text, io.err_text};
}

TEST(Run, SaysWhatItCanDo) {
  const Outcome help = outcome({"--help"});
  EXPECT_EQ(help.code, kOk);
  EXPECT_EQ(help.err, "");
  for (const Verb* verb : verbs()) EXPECT_NE(help.out.find(verb->name), std::string::npos);
  EXPECT_EQ(outcome({"help"}).out, help.out);
  EXPECT_EQ(outcome({"-h"}).out, help.out);

  const Outcome bare = outcome({});
  EXPECT_EQ(bare.code, kUsage);
  EXPECT_EQ(bare.out, "");
  EXPECT_EQ(bare.err, help.out);
}

// What can be locked can be tested before it is.
TEST(Run, TestsALockByTheFlagsThatItHas) {
  struct Row {
    const Verb* lock;
    const Verb* test;
    std::set<std::string_view> others;  // That say nothing of the lock's rules.
  };
  const Row rows[] = {{&kKillSwitchOn, &kKillSwitchTest, {"--confirm"}},
                      {&kGateway,
                       &kGatewayTest,
                       {"--ask-after", "--confirm", "--kill-switch", "--no-kill-switch",
                        "--no-resolver", "--metrics-listen"}}};
  for (const Row& row : rows) {
    for (const Flag& flag : row.lock->flags) {
      if (row.others.contains(flag.name) || flag.is_rare) continue;
      SCOPED_TRACE(flag.name);
      const auto same = std::ranges::find(row.test->flags, flag.name, &Flag::name);
      ASSERT_NE(same, row.test->flags.end());
      EXPECT_EQ(same->value, flag.value);
      EXPECT_EQ(same->repeatable, flag.repeatable);
    }
  }
}

TEST(Run, HelpsWithEveryVerb) {
  for (const Verb* verb : verbs()) {
    SCOPED_TRACE(verb->name);
    const auto name = split(verb->name, ' ');
    std::vector<std::string> words(name.begin(), name.end());
    words.emplace_back("--help");
    const Outcome help = outcome(words);
    EXPECT_EQ(help.code, kOk);
    EXPECT_EQ(help.err, "");
    for (const std::string_view part :
         {"usage: ginnel ", "exit codes:", "example:\n  ", "--help"}) {
      EXPECT_NE(help.out.find(part), std::string::npos) << part;
    }
    for (const Verb* other : verbs()) {
      if (!other->name.starts_with(std::string(verb->name) + " ")) continue;
      EXPECT_NE(help.out.find("ginnel " + std::string(other->name)), std::string::npos);
    }
    EXPECT_NE(help.out.find(verb->example), std::string::npos);
    for (const Flag& flag : verb->flags) {
      EXPECT_NE(help.out.find(flag.name), std::string::npos);
      if (flag.is_rare) continue;  // Its page says more.
      for (const std::string_view word : split(flag.words, ' ')) {
        EXPECT_NE(help.out.find(word), std::string::npos) << word;
      }
    }
    EXPECT_EQ(help.out.find("repeatable (repeatable)"), std::string::npos);
    for (const std::string_view line : split(help.out, '\n')) EXPECT_LE(line.size(), 100u) << line;
    words.pop_back();
    words.insert(words.begin(), "help");
    EXPECT_EQ(outcome(words).out, help.out);
  }
}

TEST(Run, SuggestsTheVerbThatWasMeant) {
  EXPECT_EQ(outcome({"verison"}).err,
            "ginnel: unknown verb \"verison\"; did you mean \"version\"?\n");
  EXPECT_EQ(outcome({"verison"}).code, kUsage);
  EXPECT_EQ(outcome({"frobnicate"}).err,
            "ginnel: unknown verb \"frobnicate\"; \"ginnel --help\" lists the verbs\n");
  EXPECT_EQ(outcome({std::string(1'000'000, 'v')}).code, kUsage);
  EXPECT_EQ(outcome({"server", "statsu"}).err,
            "ginnel: unknown verb \"server statsu\"; did you mean \"server status\"?\n");
  EXPECT_EQ(
      outcome({"server", "status", "now"}).err,
      "server status: \"now\" is one argument too many; \"ginnel server status --help\" shows "
      "how to write it\n");
}

TEST(Run, SaysThatAPlannedVerbIsNotThereYet) {
  const Outcome planned = outcome({"whois", "10.0.0.1"});
  EXPECT_EQ(planned.code, kUsage);
  EXPECT_EQ(planned.out, "");
  EXPECT_EQ(planned.err,
            "ginnel: whois is not available in this version; \"ginnel --help\" lists what is\n");
}

TEST(Run, NamesTheVerbInErrors) {
  const Outcome wrong = outcome({"version", "--jsn"});
  EXPECT_EQ(wrong.code, kUsage);
  EXPECT_EQ(wrong.err, "version: unknown flag --jsn; did you mean --json?\n");
}

TEST(Run, IsADeviceWhenCalledByADaemonsName) {
  using Words = std::vector<std::string>;
  EXPECT_EQ(words_of("/usr/bin/ginnel-dev", {"wg0"}), (Words{"dev", "wg0"}));
  EXPECT_EQ(words_of("wireguard-go", {"-f", "wg0"}), (Words{"dev", "-f", "wg0"}));
  EXPECT_EQ(words_of("./ginnel", {"wg0"}), (Words{"wg0"}));
  EXPECT_EQ(words_of("/opt/ginnel-dev/ginnel", {}), Words{});
}

TEST(VerbTable, IsConsistent) {
  std::set<std::string_view> names;
  for (const Verb* verb : verbs()) {
    SCOPED_TRACE(verb->name);
    EXPECT_TRUE(names.insert(verb->name).second);
    EXPECT_FALSE(verb->summary.empty() || verb->summary.ends_with('.'));
    EXPECT_NE(verb->example.find("ginnel"), std::string_view::npos);
    EXPECT_TRUE(verb->page.starts_with("docs/"));
    EXPECT_FALSE(verb->exits.empty());
    for (const Exit& exit : verb->exits) EXPECT_NE(exit.code, kUsage);
    std::set<std::string_view> flags;
    for (const Flag& flag : verb->flags) {
      EXPECT_TRUE(flag.name.starts_with("--") && flag.name != "--help");
      EXPECT_TRUE(flags.insert(flag.name).second) << flag.name;
      EXPECT_FALSE(flag.help.empty()) << flag.name;
    }
  }
}

TEST(VerbTable, PlansNoVerbThatItHas) {
  EXPECT_TRUE(std::ranges::is_sorted(planned_verbs()));
  for (const std::string_view planned : planned_verbs()) {
    for (const Verb* verb : verbs()) EXPECT_NE(split(verb->name, ' ')[0], planned);
  }
}

TEST(ExitCode, FollowsTheKindOfError) {
  EXPECT_EQ(exit_code(ErrorCode::InvalidArgument), kUsage);
  EXPECT_EQ(exit_code(ErrorCode::PermissionDenied), kNotPermitted);
  EXPECT_EQ(exit_code(ErrorCode::Unavailable), kNoConnection);
  EXPECT_EQ(exit_code(ErrorCode::TimedOut), kTimedOut);
  EXPECT_EQ(exit_code(ErrorCode::Conflict), kRefused);
  EXPECT_EQ(exit_code(ErrorCode::AlreadyExists), kRefused);
  EXPECT_EQ(exit_code(ErrorCode::NotFound), kFailed);
  EXPECT_EQ(exit_code(ErrorCode::Io), kFailed);
}

TEST(Version, IsSaidForPeopleAndForPrograms) {
  EXPECT_TRUE(outcome({"version"}).out.starts_with("ginnel 0."));
  EXPECT_TRUE(outcome({"version", "--json"}).out.starts_with("{\"version\":1,\"ginnel\":\"0."));
  EXPECT_EQ(outcome({"--version"}).out, outcome({"version"}).out);
}

TEST(Completion, RefusesOtherShells) {
  EXPECT_EQ(outcome({"completion", "tcsh"}).err,
            "completion: no script for \"tcsh\"; there are bash, zsh and fish\n");
  EXPECT_EQ(outcome({"completion", "tcsh"}).code, kUsage);
}

}  // namespace
}  // namespace ginnel::cli

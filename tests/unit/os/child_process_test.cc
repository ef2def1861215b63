#include "os/child_process.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include "unit/os/in_child.h"

namespace ginnel::os {
namespace {

int code_of(std::vector<std::string> words) {
  const auto end = run_command({.words = std::move(words)}, nullptr);
  return end ? end->exit_code : -1;
}

TEST(RunCommand, GivesTheExitCodeAsAShellHasIt) {
  EXPECT_EQ(code_of({"true"}), 0);
  EXPECT_EQ(code_of({"sh", "-c", "exit 7"}), 7);
  EXPECT_EQ(code_of({"sh", "-c", "kill -9 $$"}), 137);
}

TEST(RunCommand, NamesTheProgramThatIsMissing) {
  const auto end = run_command({.words = {"no-such-program"}}, nullptr);
  ASSERT_FALSE(end);
  EXPECT_EQ(end.error().code, ErrorCode::NotFound);
  EXPECT_TRUE(end.error().message.starts_with("no-such-program: "));
}

TEST(RunCommand, HandsOverInputAndEnvironment) {
  const std::string large(300'000, 'x');
  const auto end = run_command({.words = {"sh", "-c", "test $(wc -c) = $SIZE"},
                                .environment = {{"SIZE", "300000"}},
                                .input = large},
                               nullptr);
  ASSERT_TRUE(end);
  EXPECT_EQ(end->exit_code, 0);
}

TEST(RunCommand, HearsWhatIsSaidWhenItWantsTo) {
  const auto end =
      run_command({.words = {"sh", "-c", "echo why >&2; exit 4"}, .hears = true}, nullptr);
  ASSERT_TRUE(end);
  EXPECT_EQ(end->exit_code, 4);
  EXPECT_EQ(end->said, "why\n");
  const std::size_t most = CommandEnd::kMaxSaid;
  for (const std::size_t size : {most - 1, most, most + 1}) {
    const std::string script = fmt::format("head -c {} /dev/zero >&2", size);
    const auto long_end = run_command({.words = {"sh", "-c", script}, .hears = true}, nullptr);
    ASSERT_TRUE(long_end);
    EXPECT_EQ(long_end->said.size(), std::min(size, most));
  }
}

TEST(RunCommand, HandsADescriptorOnWhenAskedTo) {
  const int kept = memfd_create("kept", MFD_CLOEXEC);
  const std::string script = fmt::format("test -e /proc/self/fd/{}", kept);
  EXPECT_EQ(run_command({.words = {"sh", "-c", script}, .kept = kept}, nullptr)->exit_code, 0);
  EXPECT_EQ(run_command({.words = {"sh", "-c", script}}, nullptr)->exit_code, 1);
  close(kept);
}

TEST(RunCommand, PassesOnThatItIsToStop) {
  const int code = in_child([] {
    const auto signals = SignalFd::create();
    if (!signals) return 1;
    const auto end = run_command(
        {.words = {"sh", "-c", "kill -TERM $PPID; while :; do read x; done < /dev/zero"}},
        &*signals);
    if (!end || !end->interrupted) return 2;
    return end->exit_code == 128 + SIGTERM ? 0 : 3;
  });
  EXPECT_EQ(code, 0);
}

TEST(RunCommand, TellsOfAHangupAndGoesOn) {
  const int code = in_child([] {
    const auto signals = SignalFd::create();
    if (!signals) return 1;
    const auto end = run_command({.words = {"sh", "-c", "kill -HUP $PPID; exit 3"}}, &*signals);
    if (!end || end->interrupted || !end->hung_up) return 2;
    return end->exit_code == 3 ? 0 : 3;
  });
  EXPECT_EQ(code, 0);
}

TEST(RunCommand, LetsOneThatCompletesComeToItsEnd) {
  struct Row {
    std::string script;
    bool interrupted;
    int exit_code;
  };
  const std::string wait = "while :; do read x; done < /dev/zero";
  const Row rows[] = {
      {"exit 3", false, 3},
      {"kill -TERM $PPID; exit 0", true, 0},
      {"kill -TERM $PPID; exit 5", true, 5},
      {"kill -TERM $PPID; kill -TERM 0; exit 0", true,
       128 + SIGTERM},  // Nobody's group but its own.
      // Until the first is taken, the second is the same one.
      {"kill -TERM $PPID; while kill -INT $PPID; do :; done; " + wait, true, 128 + SIGTERM},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.script);
    const int code = in_child([&] {
      const auto signals = SignalFd::create();
      if (!signals) return 1;
      const auto end =
          run_command({.words = {"sh", "-c", row.script}, .completes = true}, &*signals);
      if (!end || end->interrupted != row.interrupted) return 2;
      return end->exit_code == row.exit_code ? 0 : 3;
    });
    EXPECT_EQ(code, 0);
  }
}

TEST(FindProgram, LooksInPath) {
  EXPECT_TRUE(find_program("sh").has_value());
  EXPECT_EQ(find_program("/bin/sh"), "/bin/sh");
  EXPECT_EQ(find_program("/no/such"), std::nullopt);
}

}  // namespace
}  // namespace ginnel::os

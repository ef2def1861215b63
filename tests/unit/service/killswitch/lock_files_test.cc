#include "service/killswitch/lock_files.h"

#include <gtest/gtest.h>

#include "os/file.h"
#include "unit/core/hostnet/lock_samples.h"
#include "unit/os/temporary_directory.h"

namespace ginnel::killswitch {
namespace {

using hostnet::LockPolicy;
using hostnet::LockState;

LockPolicy some_policy() {
  LockPolicy policy = hostnet::full_policy(LockState::Connected);
  policy.devices.clear();  // They are not kept.
  policy.split.clear();
  return policy;
}

class LockFilesTest : public testing::Test {
 protected:
  os::TemporaryDirectory directory_;
  LockFiles files_{directory_ / "state", directory_ / "."};
};

TEST_F(LockFilesTest, AreOffUntilSomethingIsWritten) {
  const auto read = files_.read();
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(*read, LockPolicy{});
}

TEST_F(LockFilesTest, KeepThePolicyAndTheRulesetForPeople) {
  ASSERT_TRUE(files_.write(some_policy()));
  const auto read = files_.read();
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(*read, some_policy());
  const auto ruleset = os::read_file(files_.ruleset_path(), 1 << 20);
  ASSERT_TRUE(ruleset);
  EXPECT_NE(ruleset->find("table inet ginnel-lock-host {"), std::string::npos);
}

TEST_F(LockFilesTest, AreGoneWhenItIsOff) {
  ASSERT_TRUE(files_.write(some_policy()));
  ASSERT_TRUE(files_.write({}));
  EXPECT_FALSE(os::file_exists(files_.policy_path()));
  EXPECT_FALSE(os::file_exists(files_.ruleset_path()));
  EXPECT_TRUE(files_.write({}));
}

TEST_F(LockFilesTest, AreNoUnlockedHostWhenTheyCannotBeRead) {
  ASSERT_TRUE(files_.write(some_policy()));
  os::write_contents(files_.policy_path(), "state\tajar\n");
  const auto read = files_.read();
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().message,
            files_.policy_path() + ": line 1: cannot be read; remove the file, and lock again");
}

TEST_F(LockFilesTest, KeepWhatAChangeGoesBackTo) {
  const auto none = files_.read_pending();
  ASSERT_TRUE(none);
  EXPECT_FALSE(*none);
  const MonoTime deadline{std::chrono::seconds(90)};
  ASSERT_TRUE(files_.write_pending({.deadline = deadline, .former = some_policy()}));
  const auto pending = files_.read_pending();
  ASSERT_TRUE(pending && *pending);
  EXPECT_EQ((*pending)->deadline, deadline);
  EXPECT_EQ((*pending)->former, some_policy());
  ASSERT_TRUE(files_.remove_pending());
  EXPECT_FALSE(*files_.read_pending());
}

TEST_F(LockFilesTest, KeepWhatTheWatcherHas) {
  EXPECT_EQ(files_.read_watched(), std::nullopt);
  for (std::uint32_t port : {0u, 7u, UINT32_MAX}) {
    ASSERT_TRUE(files_.write_watched(port));
    EXPECT_EQ(files_.read_watched(), port);
  }
  for (const char* text : {"", "\n", "-1\n", "4294967296\n", "7 8\n", "seven\n"}) {
    SCOPED_TRACE(text);
    os::write_contents(files_.watched_path(), text);
    EXPECT_EQ(files_.read_watched(), std::nullopt);
  }
  ASSERT_TRUE(files_.remove_watched());
  EXPECT_TRUE(files_.remove_watched());
}

TEST_F(LockFilesTest, SayWhatIsWrongWithAChangeThatCannotBeRead) {
  for (const char* text : {"", "soon\nstate\tlocked\n", "-5\n", "5\nstate\tajar\n"}) {
    SCOPED_TRACE(text);
    os::write_contents(files_.pending_path(), text);
    EXPECT_FALSE(files_.read_pending());
  }
}

}  // namespace
}  // namespace ginnel::killswitch

#include "os/socket_sharing.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "temporary_directory.h"

namespace ginnel::os {
namespace {

TEST(ReplaceLink, MakesALinkAndReplacesItsOwn) {
  const TemporaryDirectory directory;
  const std::string link = directory / "link";
  ASSERT_TRUE(replace_link(link, "first"));
  ASSERT_TRUE(replace_link(link, "second"));
  char target[16] = {};
  ASSERT_EQ(readlink(link.c_str(), target, sizeof target - 1), 6);
  EXPECT_STREQ(target, "second");
}

TEST(ReplaceLink, LeavesOtherFilesAlone) {
  const TemporaryDirectory directory;
  const std::string file = directory / "file";
  write_contents(file, "precious");
  const Status replaced = replace_link(file, "target");
  ASSERT_FALSE(replaced);
  EXPECT_EQ(replaced.error().code, ErrorCode::AlreadyExists);
  EXPECT_EQ(contents_of(file), "precious");
}

TEST(ReplaceLink, SaysWhereItCannotBeMade) {
  const TemporaryDirectory directory;
  const Status made = replace_link(directory / "missing/link", "target");
  ASSERT_FALSE(made);
  EXPECT_NE(made.error().message.find("missing/link"), std::string::npos);
}

TEST(ShareWithGroup, GivesToAGroupThatExists) {
  const TemporaryDirectory directory;
  const std::string file = directory / "file";
  write_contents(file, "");
  ASSERT_TRUE(share_with_group(file, "daemon"));
  struct stat info{};
  ASSERT_EQ(stat(file.c_str(), &info), 0);
  EXPECT_EQ(info.st_gid, geteuid() == 0 ? 1u : getegid());  // "daemon" is 1 on every Linux.
  ASSERT_TRUE(share_with_group(file, "no-such-group"));
  EXPECT_FALSE(share_with_group(directory / "missing", "daemon"));
}

}  // namespace
}  // namespace ginnel::os

#include "os/resolv_conf.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "os/file.h"
#include "unit/os/temporary_directory.h"

namespace ginnel::os {
namespace {

const hostnet::Owner kWg0{.role = "up", .interface = "wg0"};
const hostnet::Owner kWg1{.role = "up", .interface = "wg1"};
const hostnet::WantedResolver kWanted{.servers = {"10.0.0.1"}};
constexpr std::size_t kMost = 4096;

class ResolvConfTest : public testing::Test {
 protected:
  std::string text() { return read_file(path_, kMost).value_or("?"); }

  TemporaryDirectory directory_;
  std::string path_ = directory_.path() + "/resolv.conf";
  ResolvConf conf_{directory_.path(), path_};
};

TEST_F(ResolvConfTest, IsPutBackByAnotherProcess) {
  ASSERT_TRUE(write_file_atomically(path_, "nameserver 192.0.2.1\n", 0644));
  ASSERT_TRUE(conf_.push(kWg0, kWanted));
  EXPECT_EQ(text(), resolv_conf_text(kWg0, kWanted));
  ASSERT_TRUE(ResolvConf(directory_.path(), path_).pop(kWg0));
  EXPECT_EQ(text(), "nameserver 192.0.2.1\n");
  EXPECT_FALSE(file_exists(directory_.path() + "/resolver"));
}

TEST_F(ResolvConfTest, GoesAgainWhereThereWasNone) {
  ASSERT_TRUE(conf_.push(kWg0, kWanted));
  EXPECT_EQ(std::filesystem::status(path_).permissions(), std::filesystem::perms(0644));
  ASSERT_TRUE(conf_.pop(kWg0));
  EXPECT_FALSE(file_exists(path_));
}

TEST_F(ResolvConfTest, FollowsALink) {
  const std::string real = directory_.path() + "/real";
  ASSERT_TRUE(write_file_atomically(real, "nameserver 192.0.2.1\n", 0644));
  std::filesystem::create_symlink(real, path_);
  ASSERT_TRUE(conf_.push(kWg0, kWanted));
  EXPECT_TRUE(std::filesystem::is_symlink(path_));
  ASSERT_TRUE(conf_.pop(kWg0));
  EXPECT_EQ(read_file(real, kMost), "nameserver 192.0.2.1\n");
}

TEST_F(ResolvConfTest, FollowsALinkThatLeadsToNothing) {
  const std::string real = directory_.path() + "/real";
  std::filesystem::create_symlink("real", path_);
  ASSERT_TRUE(conf_.push(kWg0, kWanted));
  EXPECT_EQ(std::filesystem::read_symlink(path_), "real");
  EXPECT_EQ(std::filesystem::status(real).permissions(), std::filesystem::perms(0644));
  EXPECT_EQ(text(), resolv_conf_text(kWg0, kWanted));
  ASSERT_TRUE(conf_.pop(kWg0));
  EXPECT_EQ(std::filesystem::read_symlink(path_), "real");
  EXPECT_FALSE(file_exists(real));
}

TEST_F(ResolvConfTest, SaysWhatKeepsItFromBeingWritten) {
  std::filesystem::create_symlink("no/such/folder/real", path_);
  const Status pushed = conf_.push(kWg0, kWanted);
  ASSERT_FALSE(pushed);
  EXPECT_EQ(pushed.error().code, ErrorCode::Io);
  EXPECT_EQ(pushed.error().message,
            "DNS: cannot write " + path_ +
                ": No such file or directory; make the folder that it leads to, or install "
                "resolvconf, or remove the DNS lines");
}

TEST_F(ResolvConfTest, DoesNothingForWhoHasNothingThere) {
  ASSERT_TRUE(write_file_atomically(path_, "x", 0644));
  EXPECT_TRUE(conf_.pop(kWg1));
  ASSERT_TRUE(conf_.push(kWg0, kWanted));
  EXPECT_TRUE(conf_.pop(kWg1));
  EXPECT_EQ(text(), resolv_conf_text(kWg0, kWanted));
}

TEST_F(ResolvConfTest, NamesTheFileThatCannotBeRead) {
  ASSERT_TRUE(write_file_atomically(directory_.path() + "/resolver", "nonsense\n", 0600));
  const Status pushed = conf_.push(kWg0, kWanted);
  ASSERT_FALSE(pushed);
  EXPECT_NE(pushed.error().message.find("/resolver: line 1: cannot be read; remove the file"),
            std::string::npos);
}

}  // namespace
}  // namespace ginnel::os

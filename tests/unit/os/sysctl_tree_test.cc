#include "os/sysctl_tree.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace ginnel::os {
namespace {

class SysctlTreeTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "/ginnel_sysctl.XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    root_ = pattern;
    std::filesystem::create_directories(root_ + "/net/ipv4/conf/eth0");
    std::ofstream(root_ + "/net/ipv4/ip_forward") << "0\n";
  }
  void TearDown() override { std::filesystem::remove_all(root_); }
  std::string root_;
};

TEST_F(SysctlTreeTest, ReadsWhatItWrote) {
  const SysctlTree tree(root_);
  EXPECT_EQ(tree.read("net/ipv4/ip_forward"), "0");
  ASSERT_TRUE(tree.write("net/ipv4/ip_forward", "1"));
  EXPECT_EQ(tree.read("net/ipv4/ip_forward"), "1");
}

TEST_F(SysctlTreeTest, ListsInterfaces) {
  EXPECT_EQ(SysctlTree(root_).list("net/ipv4/conf"), std::vector<std::string>{"eth0"});
}

TEST_F(SysctlTreeTest, MakesNoSettingThatIsNotThere) {
  const SysctlTree tree(root_);
  const Status written = tree.write("net/ipv4/absent", "1");
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code, ErrorCode::NotFound);
  EXPECT_EQ(written.error().message, "set net/ipv4/absent to 1: No such file or directory");
  EXPECT_FALSE(std::filesystem::exists(root_ + "/net/ipv4/absent"));
}

TEST_F(SysctlTreeTest, BoundsAValue) {
  std::ofstream(root_ + "/long") << std::string(SysctlTree::kMaxValueSize, 'x');
  EXPECT_TRUE(SysctlTree(root_).read("long"));
  std::ofstream(root_ + "/long") << std::string(SysctlTree::kMaxValueSize + 1, 'x');
  EXPECT_FALSE(SysctlTree(root_).read("long"));
}

}  // namespace
}  // namespace ginnel::os

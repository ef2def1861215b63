#include "service/server/privileges.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "temporary_directory.h"

namespace ginnel::server {
namespace {

using os::Capability;

class NeededCapabilities : public testing::Test {
 protected:
  NeededCapabilities() {
    directory.write("server.toml", "");
    directory.write("peers.d/anna.toml", "");
  }
  std::vector<Capability> needed(const std::string& key_file = "") const {
    return needed_capabilities(paths, key_file);
  }

  TemporaryDirectory directory;
  const ServerPaths paths =
      *choose_paths({.state_dir = directory.path(),
                     .environment = [](const std::string&) { return std::nullopt; }});
  const std::vector<Capability> network = {Capability::NetAdmin, Capability::NetBindService};
};

TEST_F(NeededCapabilities, AreThoseForTheNetworkWhereAllFilesAreOurs) {
  EXPECT_EQ(needed(), network);
  EXPECT_EQ(needed(directory.path() + "/missing.key"), network);
}

TEST_F(NeededCapabilities, CoverFilesOfOthers) {
  const std::string key = directory.path() + "/own.key";
  directory.write("own.key", "");
  for (const std::string& file : {directory.path(), paths.config_file, paths.peers_directory,
                                  paths.peers_directory + "/anna.toml", key}) {
    SCOPED_TRACE(file);
    ASSERT_EQ(chown(file.c_str(), 1000, getegid()), 0);
    EXPECT_EQ(needed(key).size(), 4u);
    ASSERT_EQ(chown(file.c_str(), geteuid(), 1000), 0);
    EXPECT_EQ(needed(key).size(), 4u);
    ASSERT_EQ(chown(file.c_str(), geteuid(), getegid()), 0);
    EXPECT_EQ(needed(key), network);
  }
}

}  // namespace
}  // namespace ginnel::server

#include "service/server/started_flags.h"

#include <gtest/gtest.h>

#include "temporary_directory.h"

namespace ginnel::server {
namespace {

ServerPaths paths_in(const TemporaryDirectory& directory) {
  return *choose_paths({.state_dir = directory.path(),
                        .environment = [](const std::string&) { return std::nullopt; }});
}

TEST(StartedFlags, ComeBackAsTheyWere) {
  const TemporaryDirectory directory;
  StartedFlags started;
  started.flags.listen = ":443";
  started.flags.subnet = "10.9.0.0/24";
  started.flags.endpoint = "vpn.\"example\".org";
  started.flags.dns = {"192.0.2.53", "home.arpa"};
  started.flags.peers = {"KEY,10.9.0.2/32"};
  ASSERT_TRUE(save_started_flags(paths_in(directory), started));

  const auto loaded = load_started_flags(paths_in(directory));
  ASSERT_TRUE(loaded) << loaded.error().message;
  EXPECT_EQ(loaded->flags.listen, ":443");
  EXPECT_EQ(loaded->flags.subnet, "10.9.0.0/24");
  EXPECT_EQ(loaded->flags.endpoint, started.flags.endpoint);
  EXPECT_EQ(loaded->flags.dns, started.flags.dns);
  EXPECT_EQ(loaded->flags.peers, started.flags.peers);
  EXPECT_EQ(loaded->flags.mtu, std::nullopt);
  EXPECT_EQ(loaded->public_key, std::nullopt);
}

TEST(StartedFlags, NeverHoldAPrivateKey) {
  const TemporaryDirectory directory;
  StartedFlags started;
  started.flags.private_key = "YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWE=";
  ASSERT_TRUE(save_started_flags(paths_in(directory), started));
  EXPECT_EQ(directory.read("started-with.toml").find(*started.flags.private_key),
            std::string::npos);
}

TEST(StartedFlags, AreNoneBeforeTheFirstStart) {
  const TemporaryDirectory directory;
  const auto loaded = load_started_flags(paths_in(directory));
  ASSERT_TRUE(loaded);
  EXPECT_EQ(loaded->flags.listen, std::nullopt);
}

TEST(StartedFlags, SayWhereTheFileIsWrong) {
  const TemporaryDirectory directory;
  directory.write("started-with.toml", "listen = 7\n");
  const auto loaded = load_started_flags(paths_in(directory));
  ASSERT_FALSE(loaded);
  EXPECT_NE(loaded.error().message.find("started-with.toml:1: listen"), std::string::npos);
}

}  // namespace
}  // namespace ginnel::server

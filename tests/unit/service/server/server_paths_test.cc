#include "service/server/server_paths.h"

#include <gtest/gtest.h>

#include <map>

namespace ginnel::server {
namespace {

using Environment = std::map<std::string, std::string>;

PathChoice choice(bool is_root, Environment environment = {}) {
  return {.is_root = is_root,
          .environment = [environment](const std::string& name) -> std::optional<std::string> {
            const auto found = environment.find(name);
            if (found == environment.end()) return std::nullopt;
            return found->second;
          }};
}

TEST(ServerPaths, OfRootAreTheSystems) {
  const auto paths = choose_paths(choice(true, {{"HOME", "/root"}, {"XDG_STATE_HOME", "/x"}}));
  ASSERT_TRUE(paths);
  EXPECT_EQ(paths->config_file, "/etc/ginnel/server.toml");
  EXPECT_FALSE(paths->config_file_is_named);
  EXPECT_EQ(paths->peers_directory, "/etc/ginnel/peers.d");
  EXPECT_EQ(paths->key_file(), "/var/lib/ginnel/server.key");
  EXPECT_EQ(paths->control_socket("wg0"), "/run/ginnel/server-wg0.sock");
  EXPECT_EQ(paths->public_socket("wg0"), "/run/ginnel/server-wg0.sock");
}

TEST(ServerPaths, OfOthersAreXdgDirectories) {
  const auto by_default = choose_paths(choice(false, {{"HOME", "/users/anna"}}));
  ASSERT_TRUE(by_default);
  EXPECT_EQ(by_default->config_file, "/users/anna/.config/ginnel/server.toml");
  EXPECT_EQ(by_default->state_directory, "/users/anna/.local/state/ginnel");
  EXPECT_EQ(by_default->run_directory, "/users/anna/.local/state/ginnel/run");

  const auto chosen = choose_paths(choice(false, {{"HOME", "/users/anna"},
                                                  {"XDG_CONFIG_HOME", "/c"},
                                                  {"XDG_STATE_HOME", "relative"},
                                                  {"XDG_RUNTIME_DIR", "/run/user/7"}}));
  ASSERT_TRUE(chosen);
  EXPECT_EQ(chosen->config_file, "/c/ginnel/server.toml");
  EXPECT_EQ(chosen->state_directory, "/users/anna/.local/state/ginnel");
  EXPECT_EQ(chosen->run_directory, "/run/user/7/ginnel");
}

TEST(ServerPaths, OfOthersAreBesideThoseOfTheSystem) {
  const Environment home = {{"HOME", "/users/anna"}};
  EXPECT_EQ(choose_paths(choice(false, home))->system_run_directory, "/run/ginnel");
  EXPECT_EQ(choose_paths(choice(true, home))->system_run_directory, "");
  PathChoice named = choice(false, home);
  named.state_dir = "/users/anna/vpn";
  EXPECT_EQ(choose_paths(named)->system_run_directory, "");
  named = choice(false, home);
  named.config = "vpn.toml";
  EXPECT_EQ(choose_paths(named)->system_run_directory, "");
  const auto unit = choice(false, {{"HOME", "/"}, {"RUNTIME_DIRECTORY", "/run/ginnel"}});
  EXPECT_EQ(choose_paths(unit)->system_run_directory, "");
}

TEST(ServerPaths, OfAUnitAreThoseThatSystemdMade) {
  const auto paths = choose_paths(choice(false, {{"CONFIGURATION_DIRECTORY", "/etc/vpn:/etc/b"},
                                                 {"STATE_DIRECTORY", "/var/lib/vpn"},
                                                 {"RUNTIME_DIRECTORY", "/run/vpn"}}));
  ASSERT_TRUE(paths);
  EXPECT_EQ(paths->peers_directory, "/etc/vpn/peers.d");
  EXPECT_EQ(paths->state_directory, "/var/lib/vpn");
  EXPECT_EQ(paths->run_directory, "/run/vpn");
}

TEST(ServerPaths, AStateDirectoryHoldsEverythingAndIsFoundFromOutside) {
  PathChoice root = choice(true);
  root.state_dir = "/srv/vpn/";
  const auto paths = choose_paths(root);
  ASSERT_TRUE(paths);
  EXPECT_EQ(paths->config_file, "/srv/vpn/server.toml");
  EXPECT_EQ(paths->peers_directory, "/srv/vpn/peers.d");
  EXPECT_EQ(paths->database(), "/srv/vpn/server.db");
  EXPECT_EQ(paths->control_socket("wg0"), "/srv/vpn/run/server-wg0.sock");
  EXPECT_EQ(paths->public_socket("wg0"), "/run/ginnel/server-wg0.sock");
}

TEST(ServerPaths, ANamedFileHasItsPeersBesideIt) {
  PathChoice root = choice(true);
  root.state_dir = "/srv/vpn";
  root.config = "/users/anna/vpn.toml";
  const auto paths = choose_paths(root);
  ASSERT_TRUE(paths);
  EXPECT_EQ(paths->config_file, "/users/anna/vpn.toml");
  EXPECT_TRUE(paths->config_file_is_named);
  EXPECT_EQ(paths->peers_directory, "/users/anna/peers.d");
  EXPECT_EQ(paths->state_directory, "/srv/vpn");

  root.config = "vpn.toml";
  EXPECT_EQ(choose_paths(root)->peers_directory, "./peers.d");
  root.config = "/vpn.toml";
  EXPECT_EQ(choose_paths(root)->peers_directory, "/peers.d");
}

TEST(ServerPaths, NeedsAHome) {
  const auto none = choose_paths(choice(false));
  ASSERT_FALSE(none);
  EXPECT_NE(none.error().message.find("--state-dir"), std::string::npos);

  PathChoice empty = choice(true);
  empty.state_dir = "";
  EXPECT_FALSE(choose_paths(empty));
}

}  // namespace
}  // namespace ginnel::server

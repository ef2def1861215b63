#include "service/server/server_files.h"

#include <gtest/gtest.h>

#include <sys/stat.h>

#include "support/seeded_rng.h"
#include "temporary_directory.h"

namespace ginnel::server {
namespace {

constexpr char kKeyA[] = "YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWE=";
constexpr char kKeyB[] = "YmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJiYmI=";

class ServerFiles : public testing::Test {
 protected:
  ServerFiles() {
    source.paths = *choose_paths({.state_dir = directory.path(),
                                  .environment = [](const std::string&) { return std::nullopt; }});
    source.generated_subnet6 = net::Prefix::parse("fd00:1:2:3::/64").value();
  }

  std::string load_error(const FileEdit* edit = nullptr) const {
    const auto config = load_server_config(source, edit);
    return config ? "" : config.error().message;
  }
  unsigned mode_of(const std::string& name) const {
    struct stat info{};
    return stat(directory.file(name).c_str(), &info) == 0 ? info.st_mode & 07777u : 0;
  }

  TemporaryDirectory directory;
  ServerSource source;
  test::SeededRng rng{1};
};

std::string peer_file(const char* key, const char* address) {
  return std::string("public_key = \"") + key + "\"\naddresses = [\"" + address + "\"]\n";
}

TEST_F(ServerFiles, NothingAtAllIsAConfiguration) {
  const auto config = load_server_config(source);
  ASSERT_TRUE(config);
  EXPECT_TRUE(config->peers.empty());
  EXPECT_EQ(config->subnets.v6->to_string(), "fd00:1:2:3::/64");
}

TEST_F(ServerFiles, ReadsTheServersFileAndEachPeers) {
  directory.write("server.toml", "[server]\nsubnet = \"10.9.0.0/24\"\n");
  directory.write("peers.d/anna.toml", peer_file(kKeyA, "10.9.0.2"));
  directory.write("peers.d/bert.toml", peer_file(kKeyB, "10.9.0.3"));
  directory.write("peers.d/bert.toml~", "nonsense");
  directory.write("peers.d/.carl.toml.swp", "nonsense");
  directory.write("peers.d/.hidden.toml", "nonsense");
  directory.write("peers.d/README", "nonsense");

  const auto config = load_server_config(source);
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->subnets.v4.to_string(), "10.9.0.0/24");
  ASSERT_EQ(config->peers.size(), 2u);
  EXPECT_EQ(config->peers[0].name, "anna");
  EXPECT_EQ(config->peers[1].name, "bert");
}

TEST_F(ServerFiles, NamesTheFileThatIsWrong) {
  directory.write("peers.d/anna.toml", "public_key = \"short\"\n");
  EXPECT_TRUE(load_error().starts_with(directory.file("peers.d/anna.toml") + ":1: public_key"))
      << load_error();
}

TEST_F(ServerFiles, ANamedFileHasToExist) {
  source.paths.config_file = directory.file("vpn.toml");
  EXPECT_EQ(load_error(), "");
  source.paths.config_file_is_named = true;
  EXPECT_EQ(load_error(), "--config " + directory.file("vpn.toml") +
                              ": there is no such file; make it, or leave the flag out");
}

TEST_F(ServerFiles, AnEditIsCheckedBeforeItIsWritten) {
  directory.write("peers.d/anna.toml", peer_file(kKeyA, "10.200.100.2"));
  FileEdit addition;
  addition.path = directory.file("peers.d/bert.toml");
  addition.after = peer_file(kKeyB, "10.200.100.2");
  EXPECT_NE(load_error(&addition).find("10.200.100.2/32 belongs to peer"), std::string::npos);

  addition.after = peer_file(kKeyB, "10.200.100.3");
  EXPECT_EQ(load_server_config(source, &addition)->peers.size(), 2u);

  FileEdit removal;
  removal.path = directory.file("peers.d/anna.toml");
  removal.before = directory.read("peers.d/anna.toml");
  EXPECT_EQ(load_server_config(source, &removal)->peers.size(), 0u);
  EXPECT_EQ(load_server_config(source)->peers.size(), 1u);
}

TEST_F(ServerFiles, AnEditCanBeUndone) {
  FileEdit edit;
  edit.path = directory.file("peers.d/anna.toml");
  edit.after = "a";
  ASSERT_TRUE(apply(edit));
  EXPECT_EQ(directory.read("peers.d/anna.toml"), "a");
  EXPECT_EQ(mode_of("peers.d/anna.toml"), 0600u);
  EXPECT_EQ(mode_of("peers.d"), 0700u);
  ASSERT_TRUE(undo(edit));
  EXPECT_FALSE(directory.has("peers.d/anna.toml"));

  directory.write("server.toml", "before");
  FileEdit change;
  change.path = directory.file("server.toml");
  change.before = "before";
  change.after = "after";
  ASSERT_TRUE(apply(change));
  EXPECT_EQ(directory.read("server.toml"), "after");
  ASSERT_TRUE(undo(change));
  EXPECT_EQ(directory.read("server.toml"), "before");
}

TEST_F(ServerFiles, ProposesTheSubnetThatClientsAreIn) {
  const net::Prefix random = propose_subnet6(source.paths, rng);
  EXPECT_TRUE(config::is_unique_local(random.address()));
  EXPECT_NE(propose_subnet6(source.paths, rng), random);
  directory.write("peers.d/anna.toml", peer_file(kKeyA, "10.200.100.2"));
  directory.write("peers.d/bert.toml", peer_file(kKeyB, "fd77:1:2:3::4"));
  EXPECT_EQ(propose_subnet6(source.paths, rng).to_string(), "fd77:1:2:3::/64");
  directory.write("peers.d/bert.toml", peer_file(kKeyB, "2001:db8::4"));
  EXPECT_TRUE(config::is_unique_local(propose_subnet6(source.paths, rng).address()));
}

TEST_F(ServerFiles, MakesAKeyAndKeepsIt) {
  const auto made = load_server_key(source.paths, {}, rng);
  ASSERT_TRUE(made);
  EXPECT_TRUE(made->is_new);
  EXPECT_FALSE(directory.has("server.key"));

  ASSERT_TRUE(save_server_key(*made));
  EXPECT_EQ(mode_of("server.key"), 0600u);
  const auto again = load_server_key(source.paths, {}, rng);
  ASSERT_TRUE(again);
  EXPECT_FALSE(again->is_new);
  EXPECT_EQ(again->key.public_key(), made->key.public_key());
}

TEST_F(ServerFiles, ANamedKeyFileHasToHoldAKey) {
  config::ServerConfig config;
  config.private_key_file = directory.file("my.key");
  const auto missing = load_server_key(source.paths, config, rng);
  ASSERT_FALSE(missing);
  EXPECT_NE(missing.error().message.find("ginnel genkey > " + directory.file("my.key")),
            std::string::npos);

  const std::string_view wrong[] = {"", "hello", "YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWE=YWFh",
                                    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="};
  for (const std::string_view text : wrong) {
    directory.write("my.key", text);
    const auto bad = load_server_key(source.paths, config, rng);
    ASSERT_FALSE(bad);
    EXPECT_EQ(bad.error().code, ErrorCode::InvalidArgument);
    EXPECT_TRUE(text.empty() || bad.error().message.find(text) == std::string::npos);
  }
  directory.write("my.key", kKeyA);
  const auto good = load_server_key(source.paths, config, rng);
  ASSERT_TRUE(good);
  EXPECT_FALSE(good->is_new);
}

}  // namespace
}  // namespace ginnel::server

#include "service/server/stopped_server.h"

#include <gtest/gtest.h>

#include "service/server/server_state.h"
#include "store/traffic_store.h"
#include "support/seeded_rng.h"
#include "temporary_directory.h"

namespace ginnel::server {
namespace {

class StoppedServerTest : public testing::Test {
 protected:
  std::unique_ptr<StoppedServer> open() {
    auto server = StoppedServer::open(paths, clock, rng);
    EXPECT_TRUE(server) << server.error().message;
    return std::move(*server);
  }

  TemporaryDirectory directory;
  ServerPaths paths =
      *choose_paths({.state_dir = directory.file("state"),
                     .environment = [](const std::string&) { return std::nullopt; }});
  os::Clock clock;
  test::SeededRng rng{1};
};

TEST_F(StoppedServerTest, OfAServerThatNeverRanHasNoPeersAndMakesNoFiles) {
  EXPECT_TRUE(open()->peers()->empty());
  EXPECT_FALSE(directory.has("state"));
}

TEST_F(StoppedServerTest, AddsAPeerWhoseAddressesStay) {
  const auto added = open()->add({.name = "anna"});
  ASSERT_TRUE(added) << added.error().message;
  ASSERT_EQ(added->addresses.size(), 2u);

  const auto again = open()->add({.name = "bert"});
  ASSERT_TRUE(again);
  EXPECT_EQ(again->addresses[0].to_string(), "10.200.100.3");
  EXPECT_EQ(net::Prefix::masking(again->addresses[1], 64),
            net::Prefix::masking(added->addresses[1], 64));
  const auto peers = open()->peers();
  ASSERT_EQ(peers->size(), 2u);
  EXPECT_EQ(peers->at(0).name, "anna");
  EXPECT_EQ(peers->at(0).addresses, added->addresses);
}

TEST_F(StoppedServerTest, PrintsAFileWithTheKeyThatTheServerWillHave) {
  ASSERT_TRUE(open()->add({.name = "anna"}));
  directory.write("state/server.toml", "[server]\nendpoint = \"vpn.example.org\"\n");
  const auto file = open()->client_file("anna");
  ASSERT_TRUE(file) << file.error().message;
  EXPECT_NE(file->find("Endpoint = vpn.example.org:51820\n"), std::string::npos);
  const auto key = load_server_key(paths, {}, rng);
  EXPECT_FALSE(key->is_new);
  EXPECT_NE(file->find(key->key.public_key().to_base64()), std::string::npos);
}

TEST_F(StoppedServerTest, GoesByTheFlagsOfTheLastStart) {
  ASSERT_TRUE(os::make_directories(paths.state_directory, 0700));
  StartedFlags started;
  started.flags.subnet = "10.9.0.0/24";
  started.flags.endpoint = "vpn.example.org:443";
  started.public_key = crypto::PublicKey(crypto::PrivateKey::generate(rng).public_key());
  ASSERT_TRUE(save_started_flags(paths, started));

  EXPECT_EQ(open()->add({.name = "anna"})->addresses[0].to_string(), "10.9.0.2");
  const auto file = open()->client_file("anna");
  ASSERT_TRUE(file) << file.error().message;
  EXPECT_NE(file->find("Endpoint = vpn.example.org:443\n"), std::string::npos);
  EXPECT_NE(file->find("PublicKey = " + started.public_key->to_base64()), std::string::npos);
  EXPECT_FALSE(directory.has("state/server.key"));
}

TEST_F(StoppedServerTest, KeepsAServerFromStartingMeanwhile) {
  const auto server = open();
  ASSERT_TRUE(server->add({.name = "anna"}));
  EXPECT_FALSE(os::FileLock::take(paths.lock_file()));
}

TEST_F(StoppedServerTest, DoesNotEditTheFilesOfARunningServer) {
  ASSERT_TRUE(os::make_directories(paths.state_directory, 0700));
  const auto lock = os::FileLock::take(paths.lock_file());
  const auto added = open()->add({.name = "anna"});
  ASSERT_FALSE(added);
  EXPECT_EQ(added.error().code, ErrorCode::AlreadyExists);
  EXPECT_FALSE(directory.has("state/peers.d/anna.toml"));
}

TEST_F(StoppedServerTest, RemovesAPeerAndItsTotals) {
  const auto key = open()->add({.name = "anna"})->public_key;
  {
    const auto database = open_database(paths).value();
    auto totals = storage::TrafficStore::open(*database).value();
    totals.record(store_key(key), {.rx_bytes = 1000});
    ASSERT_TRUE(totals.flush());
  }
  EXPECT_EQ(open()->peer("anna")->rx_bytes, 1000u);
  const auto removed = open()->remove("anna");
  ASSERT_TRUE(removed);
  EXPECT_EQ(removed->removed, 1u);
  EXPECT_FALSE(open()->peer("anna"));
  const auto database = open_database(paths).value();
  EXPECT_EQ(storage::TrafficStore::open(*database)->size(), 0u);
}

TEST_F(StoppedServerTest, ChangesWhatAPeerMayOpen) {
  ASSERT_TRUE(open()->add({.name = "anna", .allow = {{"any tcp 443"}}}));
  EXPECT_EQ(open()->set_rules("anna", {.deny = {{"private"}}})->changed, 1u);
  EXPECT_EQ(open()->peer("anna")->allow.value, std::vector<std::string>{"any tcp 443"});
  EXPECT_EQ(open()->peer("anna")->deny, std::vector<std::string>{"private"});
  EXPECT_EQ(open()->set_rules("anna", {.deny = {{"privat"}}}).error().code,
            ErrorCode::InvalidArgument);
}

TEST_F(StoppedServerTest, DisablesAndEnables) {
  ASSERT_TRUE(open()->add({.name = "anna"}));
  EXPECT_EQ(open()->set_enabled("anna", false)->changed, 1u);
  EXPECT_FALSE(open()->peer("anna")->enabled);
  EXPECT_TRUE(open()->set_enabled("anna", false)->is_empty());
  EXPECT_EQ(open()->set_enabled("anna", true)->changed, 1u);
  EXPECT_TRUE(open()->peer("anna")->enabled);
}

}  // namespace
}  // namespace ginnel::server

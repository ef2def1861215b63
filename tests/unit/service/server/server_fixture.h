// A server over a device and a host in memory, with files and a database of the test's own.
#pragma once

#include <gtest/gtest.h>

#include "device_twin.h"
#include "host_twin.h"
#include "service/server/server.h"
#include "store/server_schema.h"
#include "support/seeded_rng.h"
#include "temporary_directory.h"

namespace ginnel::server {

inline constexpr char kKeyA[] = "YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWE=";
inline constexpr char kKeyB[] = "YmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJiYmI=";

inline crypto::PublicKey key(std::string_view text) {
  return crypto::PublicKey::parse(text).value();
}

class ServerFixture : public testing::Test {
 protected:
  ServerFixture() {
    source.paths = *choose_paths({.state_dir = directory.path(),
                                  .environment = [](const std::string&) { return std::nullopt; }});
    source.generated_subnet6 = net::Prefix::parse("fd00:1:2:3::/64").value();
  }

  Result<std::unique_ptr<Server>> try_start() {
    auto config = load_server_config(source);
    if (!config) return pass(std::move(config));
    auto server_key = load_server_key(source.paths, *config, rng);
    if (!server_key) return pass(std::move(server_key));
    if (Status saved = save_server_key(*server_key); !saved) return pass(std::move(saved));
    return Server::start({.source = source,
                          .config = std::move(*config),
                          .key = std::move(*server_key),
                          .device = device,
                          .host = host,
                          .database = *database,
                          .clock = clock,
                          .rng = rng,
                          .process = 42});
  }
  std::unique_ptr<Server> start() {
    auto server = try_start();
    EXPECT_TRUE(server) << server.error().message;
    return server ? std::move(*server) : nullptr;
  }
  void write_peer(const std::string& name, std::string_view peer_key, const std::string& address,
                  const std::string& more = "") {
    directory.write("peers.d/" + name + ".toml", "public_key = \"" + std::string(peer_key) +
                                                     "\"\naddresses = [\"" + address + "\"]\n" +
                                                     more);
  }

  TemporaryDirectory directory;
  ServerSource source;
  DeviceTwin device;
  HostTwin host;
  std::unique_ptr<storage::Database> database =
      storage::Database::open(":memory:", storage::server_schema()).value();
  os::Clock clock;
  test::SeededRng rng{1};
};

}  // namespace ginnel::server

#include "service/server/control_client.h"

#include <gtest/gtest.h>

#include "server_fixture.h"
#include "service/server/control_api.h"
#include "unit/http/running_server.h"

namespace ginnel::server {
namespace {

using Serving = std::unique_ptr<http::RunningServer>;

class ControlClientTest : public ServerFixture {
 protected:
  ControlClientTest() {
    write_peer("anna", kKeyA, "10.200.100.2");
    server = start();
    api = std::make_unique<ControlApi>(*server, ControlApiOptions{});
    source.paths.public_run_directory = directory.file("public");
    directory.write("public/other.txt", "not a socket");
    directory.write("run/other.txt", "not a socket");
  }

  Serving serve(const std::string& socket) {
    return serve(socket, [this](const http::Request& request) { return api->handle(request); });
  }
  Serving serve(const std::string& socket, http::Handler handler) {
    return std::make_unique<http::RunningServer>(std::move(handler), http::UnixListener{socket});
  }
  // What commands without --state-dir have.
  ServerPaths for_all() const {
    ServerPaths paths = source.paths;
    paths.run_directory = paths.public_run_directory;
    return paths;
  }

  std::unique_ptr<Server> server;
  std::unique_ptr<ControlApi> api;
};

TEST_F(ControlClientTest, FindsTheOnlyServer) {
  const auto nobody = ControlClient::find(for_all(), std::nullopt);
  ASSERT_TRUE(nobody) << nobody.error().message;
  EXPECT_EQ(*nobody, nullptr);

  const Serving serving = serve(directory.file("public/server-wg7.sock"));
  const auto found = ControlClient::find(for_all(), std::nullopt);
  ASSERT_TRUE(found) << found.error().message;
  ASSERT_NE(*found, nullptr);
  EXPECT_EQ((*found)->server()->interface, "wg7");
  EXPECT_EQ(*ControlClient::find(for_all(), "wg8"), nullptr);
}

TEST_F(ControlClientTest, PassesOverWhatAKilledServerLeft) {
  directory.write("public/server-wg3.sock", "");
  const Serving serving = serve(directory.file("public/server-wg7.sock"));
  const auto found = ControlClient::find(for_all(), std::nullopt);
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_NE(*found, nullptr);
  EXPECT_EQ(*ControlClient::find(for_all(), "wg3"), nullptr);
}

TEST_F(ControlClientTest, WantsToKnowWhichOfSeveral) {
  const Serving one = serve(directory.file("public/server-wg7.sock"));
  const Serving other = serve(directory.file("public/server-wg8.sock"));
  const auto either = ControlClient::find(for_all(), std::nullopt);
  ASSERT_FALSE(either);
  EXPECT_EQ(either.error().message,
            "several servers run here (wg7, wg8); name one with --interface");
  EXPECT_NE(*ControlClient::find(for_all(), "wg8"), nullptr);
}

TEST_F(ControlClientTest, OfAStateDirectorySeesThatServerOnly) {
  const Serving other = serve(directory.file("public/server-wg8.sock"));
  EXPECT_EQ(*ControlClient::find(source.paths, std::nullopt), nullptr);
  const Serving own = serve(source.paths.control_socket("wg7"));
  EXPECT_NE(*ControlClient::find(source.paths, std::nullopt), nullptr);
}

TEST_F(ControlClientTest, OfAUserWithoutFilesIsTheSystems) {
  const Serving systems = serve(directory.file("public/server-wg8.sock"));
  ServerPaths users = *choose_paths({.environment = [&](const std::string& name) {
    return name == "HOME" ? std::optional(directory.file("home")) : std::nullopt;
  }});
  users.system_run_directory = directory.file("public");
  const auto found = ControlClient::find(users, std::nullopt);
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_NE(*found, nullptr);
  EXPECT_EQ(*ControlClient::find(users, "wg9"), nullptr);
  directory.write("home/.config/ginnel/server.toml", "");
  EXPECT_EQ(*ControlClient::find(users, std::nullopt), nullptr);
}

TEST_F(ControlClientTest, DoesWhatTheServerDoes) {
  const Serving serving = serve(directory.file("public/server-wg7.sock"));
  ControlClient client(directory.file("public/server-wg7.sock"));
  EXPECT_TRUE(client.is_running());
  const auto added = client.add({.name = "bert"});
  ASSERT_TRUE(added) << added.error().message;
  EXPECT_EQ(added->addresses.front().to_string(), "10.200.100.3");
  EXPECT_EQ(client.peers()->size(), 2u);
  EXPECT_EQ(client.peer("anna")->public_key, key(kKeyA));
  EXPECT_TRUE(client.client_file("bert")->starts_with("[Interface]"));
  EXPECT_EQ(client.set_enabled("bert", false)->changed, 1u);
  EXPECT_FALSE(device.peers.contains(added->public_key));
  EXPECT_EQ(client.set_enabled("bert", true)->changed, 1u);
  EXPECT_TRUE(device.peers.contains(added->public_key));
  EXPECT_EQ(client.set_rules("bert", {.deny = {{"private"}}})->changed, 1u);
  EXPECT_EQ(client.peer("bert")->deny, std::vector<std::string>{"private"});
  EXPECT_EQ(client.forget_key("bert")->changed, 1u);
  EXPECT_EQ(client.remove("bert")->removed, 1u);
  directory.write("server.toml", "[server]\nmtu = 1400\n");
  EXPECT_EQ(client.reload()->settings, std::vector<std::string>{"mtu"});
}

TEST_F(ControlClientTest, PassesErrorsOnAsTheServerSaysThem) {
  const Serving serving = serve(directory.file("public/server-wg7.sock"));
  ControlClient client(directory.file("public/server-wg7.sock"));
  const auto missing = client.peer("nobody");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ErrorCode::NotFound);
  EXPECT_EQ(missing.error().message, server->peer("nobody").error().message);
  const auto twice = client.add({.name = "anna"});
  ASSERT_FALSE(twice);
  EXPECT_EQ(twice.error().code, ErrorCode::AlreadyExists);
}

TEST_F(ControlClientTest, SaysThatAnotherVersionAnswers) {
  const std::string socket = directory.file("public/server-wg7.sock");
  const Serving serving = serve(
      socket, [](const http::Request&) { return http::json_response(R"({"interface": 7})"); });
  const auto view = ControlClient(socket).server();
  ASSERT_FALSE(view);
  EXPECT_TRUE(view.error().message.starts_with(socket + ": the server answers in a way of another "
                                                        "version ("))
      << view.error().message;
}

TEST_F(ControlClientTest, SaysThatNobodyAnswers) {
  const auto view = ControlClient(directory.file("public/server-wg7.sock")).server();
  ASSERT_FALSE(view);
  EXPECT_EQ(view.error().code, ErrorCode::Unavailable) << view.error().message;
}

}  // namespace
}  // namespace ginnel::server

#include "service/server/control_api.h"

#include <gtest/gtest.h>

#include "http/metric_families.h"
#include "server_fixture.h"

namespace ginnel::server {
namespace {

using http::Method;

class ControlApiTest : public ServerFixture {
 protected:
  ControlApiTest() {
    write_peer("anna", kKeyA, "10.200.100.2");
    server = start();
    api = std::make_unique<ControlApi>(*server, ControlApiOptions{});
  }

  http::Response ask(Method method, std::string_view path, std::string body = "") {
    return api->handle({.method = method,
                        .target = http::Target::parse(path).value(),
                        .body = std::move(body),
                        .credentials = http::Credentials{}});
  }
  http::Response ask_over_tcp(Method method, std::string_view path) {
    return api->handle({.method = method,
                        .target = http::Target::parse(path).value(),
                        .remote = net::Endpoint::parse("127.0.0.1:9").value()});
  }
  template <class T>
  T read(const http::Response& response) {
    EXPECT_EQ(response.status, 200u) << response.body;
    return http::from_json_text<T>(response.body).value();
  }

  std::unique_ptr<Server> server;
  std::unique_ptr<ControlApi> api;
};

TEST_F(ControlApiTest, OverTcpThereAreMetricsAndNothingElse) {
  const auto metrics = ask_over_tcp(Method::Get, "/metrics");
  EXPECT_EQ(metrics.status, 200u);
  EXPECT_EQ(metrics.content_type, http::kMetricsContentType);
  EXPECT_NE(metrics.body.find("ginnel_build_info"), std::string::npos);
  EXPECT_EQ(metrics.body.find("anna"), std::string::npos);
  for (const auto& [method, path] :
       {std::pair(Method::Get, "/v1/server"), std::pair(Method::Get, "/v1/peers"),
        std::pair(Method::Get, "/v1/peers/anna/config"), std::pair(Method::Post, "/v1/peers"),
        std::pair(Method::Delete, "/v1/peers/anna"),
        std::pair(Method::Post, "/v1/server/reload")}) {
    EXPECT_EQ(ask_over_tcp(method, path).status, 404u) << path;
  }
  EXPECT_TRUE(server->peer("anna"));
}

TEST_F(ControlApiTest, NamesAreInMetricsOnRequestOnly) {
  ControlApi with_peers(*server, {.metrics_per_peer = true});
  const auto metrics = with_peers.handle(
      {.target = http::Target::parse("/metrics").value(), .credentials = http::Credentials{}});
  EXPECT_NE(metrics.body.find("anna"), std::string::npos);
}

TEST_F(ControlApiTest, TellsAboutTheServerAndItsPeers) {
  EXPECT_EQ(read<ServerView>(ask(Method::Get, "/v1/server")).interface, "wg7");
  const auto list = read<PeerListDocument>(ask(Method::Get, "/v1/peers"));
  ASSERT_EQ(list.peers.size(), 1u);
  EXPECT_EQ(list.peers[0].name, "anna");
  EXPECT_EQ(read<PeerDocument>(ask(Method::Get, "/v1/peers/anna")).peer.public_key, key(kKeyA));
}

TEST_F(ControlApiTest, ChangesPeers) {
  const auto added = read<PeerDocument>(ask(Method::Post, "/v1/peers", R"({"name": "bert"})")).peer;
  EXPECT_EQ(added.addresses.front().to_string(), "10.200.100.3");
  const auto file = ask(Method::Get, "/v1/peers/bert/config");
  EXPECT_EQ(file.status, 200u);
  EXPECT_TRUE(file.body.starts_with("[Interface]")) << file.body;

  EXPECT_EQ(read<ChangeView>(ask(Method::Post, "/v1/peers/bert/disable")).changed, 1u);
  EXPECT_FALSE(device.peers.contains(added.public_key));
  EXPECT_EQ(read<ChangeView>(ask(Method::Post, "/v1/peers/bert/enable")).changed, 1u);
  EXPECT_TRUE(device.peers.contains(added.public_key));
  EXPECT_EQ(read<ChangeView>(ask(Method::Post, "/v1/peers/bert/forget-key")).changed, 1u);
  EXPECT_FALSE(server->peer("bert")->has_private_key);
  EXPECT_EQ(read<ChangeView>(ask(Method::Delete, "/v1/peers/bert")).removed, 1u);
  EXPECT_FALSE(server->peer("bert"));
}

TEST_F(ControlApiTest, ChangesWhatAPeerMayOpen) {
  const auto set = [&](const std::string& body) {
    return read<ChangeView>(ask(Method::Post, "/v1/peers/anna/rules", body)).changed;
  };
  EXPECT_EQ(set(R"({"allow": ["any tcp 443"], "deny": ["private"]})"), 1u);
  PeerView anna = read<PeerDocument>(ask(Method::Get, "/v1/peers/anna")).peer;
  EXPECT_EQ(anna.allow.value, std::vector<std::string>{"any tcp 443"});
  EXPECT_EQ(anna.deny, std::vector<std::string>{"private"});
  EXPECT_EQ(set(R"({"allow": []})"), 1u);
  anna = read<PeerDocument>(ask(Method::Get, "/v1/peers/anna")).peer;
  EXPECT_FALSE(anna.allow.value);
  EXPECT_EQ(anna.deny, std::vector<std::string>{"private"});
  EXPECT_EQ(set("{}"), 0u);
}

TEST_F(ControlApiTest, ReloadsAndSaysWhatIsWrong) {
  directory.write("server.toml", "[server]\nmtu = 1400\n");
  EXPECT_EQ(read<ChangeView>(ask(Method::Post, "/v1/server/reload")).settings,
            std::vector<std::string>{"mtu"});
  directory.write("server.toml", "[server]\nmtuu = 1400\n");
  const auto refused = ask(Method::Post, "/v1/server/reload");
  EXPECT_EQ(refused.status, 400u);
  EXPECT_NE(refused.body.find("server.toml:2: mtuu"), std::string::npos) << refused.body;
}

TEST_F(ControlApiTest, RefusesWhatMakesNoSense) {
  struct Row {
    Method method;
    std::string_view path;
    std::string body;
    unsigned status;
  };
  const Row rows[] = {
      {Method::Get, "/v1/peers/nobody", "", 404},
      {Method::Get, "/v1/peers/nobody/config", "", 404},
      {Method::Delete, "/v1/peers/nobody", "", 404},
      {Method::Post, "/v1/peers/nobody/enable", "", 404},
      {Method::Post, "/v1/peers/nobody/disable", "", 404},
      {Method::Post, "/v1/peers/nobody/forget-key", "", 404},
      {Method::Post, "/v1/peers/nobody/rules", R"({"deny": ["any"]})", 404},
      {Method::Post, "/v1/peers/anna/rules", "", 400},
      {Method::Post, "/v1/peers/anna/rules", R"({"deny": "any"})", 400},
      {Method::Post, "/v1/peers/anna/rules", R"({"deny": ["any ssh"]})", 400},
      {Method::Post, "/v1/peers", R"({"name": "bert", "allow": ["any ssh"]})", 400},
      {Method::Post, "/v1/peers", "", 400},
      {Method::Post, "/v1/peers", "{", 400},
      {Method::Post, "/v1/peers", R"({"name": 1})", 400},
      {Method::Post, "/v1/peers", R"({"name": "../x"})", 400},
      {Method::Post, "/v1/peers", R"({"name": "bert", "public_key": "short"})", 400},
      {Method::Post, "/v1/peers", R"({"name": "anna"})", 409},
      {Method::Put, "/v1/peers", R"({"name": "bert"})", 405},
      {Method::Get, "/v1/server/reload", "", 405},
      {Method::Get, "/v2/server", "", 404},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(testing::Message() << row.path << " " << row.body);
    const auto response = ask(row.method, row.path, row.body);
    EXPECT_EQ(response.status, row.status) << response.body;
  }
  EXPECT_EQ(server->peers().size(), 1u);
}

}  // namespace
}  // namespace ginnel::server

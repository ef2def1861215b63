#include "http/client.h"

#include <gtest/gtest.h>

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "running_server.h"

namespace ginnel::http {
namespace {

// A listener that takes one connection, reads until the request's empty line, sends `answer`, and
// closes. With no answer it never even accepts.
class ScriptedServer {
 public:
  explicit ScriptedServer(std::optional<std::string> answer)
      : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in name{};
    name.sin_family = AF_INET;
    name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof name;
    EXPECT_EQ(::bind(fd_, reinterpret_cast<sockaddr*>(&name), size), 0);
    EXPECT_EQ(::listen(fd_, 1), 0);
    EXPECT_EQ(::getsockname(fd_, reinterpret_cast<sockaddr*>(&name), &size), 0);
    endpoint_ = loopback();
    endpoint_.port = ntohs(name.sin_port);
    if (answer) thread_ = std::thread([this, text = std::move(*answer)] { serve(text); });
  }
  ~ScriptedServer() {
    if (thread_.joinable()) thread_.join();
    ::close(fd_);
  }

  const net::Endpoint& endpoint() const { return endpoint_; }

 private:
  void serve(const std::string& answer) const {
    const int client = ::accept(fd_, nullptr, nullptr);
    std::string request;
    char c = 0;
    while (!request.ends_with("\r\n\r\n") && ::recv(client, &c, 1, 0) == 1) request += c;
    ::send(client, answer.data(), answer.size(), MSG_NOSIGNAL);
    ::close(client);
  }

  int fd_;
  net::Endpoint endpoint_;
  std::thread thread_;
};

TEST(Client, CarriesEveryPartOfAnExchange) {
  Request received;
  RunningServer server([&](const Request& request) {
    received.method = request.method;
    received.target = request.target;
    received.headers = request.headers;
    received.body = request.body;
    Response response = json_response(R"({"a":1})", 201);
    response.headers.push_back({"X-Extra", "yes"});
    return response;
  });
  Request sent;
  sent.method = Method::Patch;
  sent.target.segments = {"peers", "a/b \xc3\xbc"};
  sent.target.query = {{"q", "x&y"}};
  sent.headers = {{"Authorization", "Bearer t"}};
  sent.body = "{}";

  const auto response = request(server.endpoint(), sent);

  ASSERT_TRUE(response) << response.error().message;
  EXPECT_EQ(response->status, 201u);
  EXPECT_EQ(response->content_type, "application/json");
  EXPECT_EQ(response->body, "{\"a\":1}\n");
  EXPECT_EQ(response->header("x-extra"), "yes");
  EXPECT_EQ(received.method, Method::Patch);
  EXPECT_EQ(received.target, sent.target);
  EXPECT_EQ(received.header("authorization"), "Bearer t");
  EXPECT_EQ(received.header("host"), server.endpoint().to_string());
  EXPECT_EQ(received.body, "{}");
}

TEST(Client, ReadsTheAnswerToHead) {
  RunningServer server([](const Request&) { return text_response("12345"); });
  Request head;
  head.method = Method::Head;

  const auto response = request(server.endpoint(), head);

  ASSERT_TRUE(response) << response.error().message;
  EXPECT_EQ(response->header("content-length"), "5");
  EXPECT_EQ(response->body, "");
}

TEST(Client, ReadsTheAnswerOfAServerThatRefusesABodyEarly) {
  ServerOptions options;
  options.max_body_bytes = 1000;
  RunningServer server([](const Request&) { return Response(); }, options);
  Request upload;
  upload.method = Method::Put;
  upload.body = std::string(100'000, 'b');

  const auto response = request(server.endpoint(), upload);

  ASSERT_TRUE(response) << response.error().message;
  EXPECT_EQ(response->status, 413u);
}

TEST(Client, SaysThatNobodyAnswersAndWhatToDo) {
  const TemporaryDirectory directory;
  ClientOptions options;
  options.remedy = "start it with \"ginnel server\"";
  net::Endpoint free_port;
  {
    RunningServer server([](const Request&) { return Response(); });
    free_port = server.endpoint();
  }

  for (const ServerAddress& server : {ServerAddress(free_port), ServerAddress(directory / "s")}) {
    const auto response = request(server, {}, options);
    ASSERT_FALSE(response);
    EXPECT_EQ(response.error().code, ErrorCode::Unavailable);
    EXPECT_TRUE(response.error().message.ends_with(
        ": nobody answers there; start it with \"ginnel server\""))
        << response.error().message;
  }
}

TEST(Client, GivesUpAfterItsTimeout) {
  const ScriptedServer silent(std::nullopt);
  ClientOptions options;
  options.timeout = 50ms;

  const auto response = request(silent.endpoint(), {}, options);

  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().code, ErrorCode::TimedOut);
  EXPECT_EQ(
      response.error().message,
      silent.endpoint().to_string() + ": no answer within 0.05 s; start it, or check the address");
}

TEST(Client, RefusesAnswersThatAreNoneOrBreakOff) {
  for (const std::string_view answer :
       {"", "hello", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n123",
        "HTTP/1.1 2 OK\r\n\r\n"}) {
    SCOPED_TRACE(answer);
    const ScriptedServer server{std::string(answer)};
    const auto response = request(server.endpoint(), {});
    ASSERT_FALSE(response);
    EXPECT_EQ(response.error().code, ErrorCode::Unavailable);
  }
}

TEST(Client, LimitsTheAnswersBody) {
  RunningServer server([](const Request& request) {
    return text_response(std::string(std::stoul(request.target.segments.at(0)), 'x'));
  });
  ClientOptions options;
  options.max_body_bytes = 1000;
  const auto get = [&](std::string size) {
    Request sized;
    sized.target.segments = {std::move(size)};
    return request(server.endpoint(), sized, options);
  };

  EXPECT_TRUE(get("999"));
  EXPECT_TRUE(get("1000"));
  const auto longer = get("1001");
  ASSERT_FALSE(longer);
  EXPECT_EQ(longer.error().code, ErrorCode::Exhausted);
}

}  // namespace
}  // namespace ginnel::http

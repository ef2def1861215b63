#include "http/server.h"

#include <gtest/gtest.h>

#include <future>
#include <random>

#include "raw_client.h"
#include "running_server.h"

namespace ginnel::http {
namespace {

// "METHOD target body"
Response echo(const Request& request) {
  return text_response(std::string(to_string(request.method)) + " " + request.target.to_string() +
                       " " + request.body);
}

// What `server` answers to exactly these bytes, after which it has to close.
std::string answer(const RunningServer& server, std::string_view bytes) {
  RawClient client(server.endpoint());
  EXPECT_TRUE(client.send(bytes));
  client.send_no_more();
  return client.read_until_closed();
}

std::string first_line(std::string_view text) {
  return std::string(text.substr(0, text.find('\r')));
}

TEST(Server, AnswersAndKeepsTheConnection) {
  RunningServer server(echo);
  RawClient client(server.endpoint());

  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(client.send("POST /a?b=c HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbody"));
    EXPECT_EQ(
        client.read_until("body"),
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 16\r\n\r\n"
        "POST /a?b=c body");
  }
}

TEST(Server, ClosesWhenTheClientAsksForIt) {
  struct Row {
    std::string_view request;
    bool closes;
  };
  const Row rows[] = {
      {"GET / HTTP/1.1\r\nHost: x\r\n\r\n", false},
      {"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", true},
      {"GET / HTTP/1.0\r\n\r\n", true},
      {"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", false},
  };
  RunningServer server(echo);
  for (const Row& row : rows) {
    SCOPED_TRACE(row.request);
    RawClient client(server.endpoint());
    ASSERT_TRUE(client.send(row.request));
    EXPECT_NE(client.read_until("GET / ").find("200 OK"), std::string::npos);
    if (row.closes) {
      EXPECT_EQ(client.read_until_closed(), "");
    } else {
      ASSERT_TRUE(client.send(row.request));
      EXPECT_TRUE(client.read_until("GET / ").ends_with("GET / "));
    }
  }
}

TEST(Server, AnswersPipelinedRequestsInOrder) {
  RunningServer server(echo);
  std::string requests;
  std::string bodies;
  for (int i = 0; i < 100; ++i) {
    const std::string body = "body" + std::to_string(i);
    requests += "PUT /" + std::to_string(i) +
                " HTTP/1.1\r\nHost: x\r\nContent-Length: " + std::to_string(body.size()) +
                "\r\n\r\n" + body;
    bodies += "PUT /" + std::to_string(i) + " " + body + "\n";
  }

  const std::string answers = answer(server, requests);

  std::string received;
  for (std::size_t at = answers.find("\r\n\r\n"); at != std::string::npos;
       at = answers.find("\r\n\r\n", at + 1)) {
    received += answers.substr(at + 4, answers.find("HTTP/", at) - at - 4) + "\n";
  }
  EXPECT_EQ(received, bodies);
}

TEST(Server, SendsNoBodyForHeadAndNoContent) {
  RunningServer server([](const Request& request) {
    Response response = text_response("12345");
    if (request.method == Method::Delete) response.status = 204;
    return response;
  });

  const std::string answers = answer(server,
                                     "HEAD / HTTP/1.1\r\nHost: x\r\n\r\n"
                                     "DELETE / HTTP/1.1\r\nHost: x\r\n\r\n"
                                     "GET / HTTP/1.1\r\nHost: x\r\n\r\n");

  EXPECT_EQ(
      answers,
      "HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 5\r\n\r\n"
      "HTTP/1.1 204 No Content\r\n\r\n"
      "HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 5\r\n\r\n"
      "12345");
}

TEST(Server, KeepsWhatAHandlerSaysInsideItsHeader) {
  RunningServer server([](const Request&) {
    Response response = text_response("x");
    response.headers.push_back({"Location", "/a\r\nSet-Cookie: b"});
    return response;
  });

  const std::string text = answer(server, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");

  EXPECT_NE(text.find("Location: /a  Set-Cookie: b\r\n"), std::string::npos) << text;
}

TEST(Server, SaysToContinueBeforeALongBody) {
  RunningServer server(echo);
  RawClient client(server.endpoint());

  ASSERT_TRUE(
      client.send("PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n"
                  "Expect: 100-continue\r\n\r\n"));
  EXPECT_EQ(client.read_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  ASSERT_TRUE(client.send("body"));
  EXPECT_TRUE(client.read_until("body").starts_with("HTTP/1.1 200 OK\r\n"));
}

TEST(Server, RefusesWhatIsNotARequest) {
  struct Row {
    std::string_view request;
    std::string_view answer;
  };
  const Row rows[] = {
      {"", ""},
      {"\r\n\r\n", "HTTP/1.1 400 Bad Request"},
      {"GET / HT", ""},
      {"hello\r\n\r\n", "HTTP/1.1 400 Bad Request"},
      {"\x16\x03\x01\x02", "HTTP/1.1 400 Bad Request"},
      {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "HTTP/1.1 400 Bad Request"},
      {"GET / HTTP/1.1\r\n\r\n", "HTTP/1.1 400 Bad Request"},
      {"GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", "HTTP/1.1 400 Bad Request"},
      {"GET /%00 HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 400 Bad Request"},
      {"GET /../etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 400 Bad Request"},
      {"GET / HTTP/1.1\r\nHost : x\r\n\r\n", "HTTP/1.1 400 Bad Request"},
      {"GET / HTTP/1.1\r\nHost: x\r\nA\x01: b\r\n\r\n", "HTTP/1.1 400 Bad Request"},
      {"TRACE / HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 501 Not Implemented"},
      {"BREW / HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 501 Not Implemented"},
      {"GET / HTTP/1.1\r\nHost: x\r\nExpect: money\r\n\r\n", "HTTP/1.1 417 Expectation Failed"},
      // Requests that two parsers could cut differently.
      {"PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
       "HTTP/1.1 400 Bad Request"},
      {"PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: "
       "chunked\r\n\r\n0\r\n\r\n",
       "HTTP/1.1 400 Bad Request"},
      {"PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", "HTTP/1.1 400 Bad Request"},
      {"PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
       "HTTP/1.1 400 Bad Request"},
      {"PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nshort", ""},
  };
  bool handled = false;
  RunningServer server([&](const Request&) {
    handled = true;
    return Response();
  });
  for (const Row& row : rows) {
    SCOPED_TRACE(row.request);
    EXPECT_EQ(first_line(answer(server, row.request)), row.answer);
  }
  server.stop();
  EXPECT_FALSE(handled);
}

TEST(Server, SurvivesGarbage) {
  RunningServer server(echo);
  std::mt19937 random(20261121);
  for (int round = 0; round < 200; ++round) {
    std::string bytes =
        round % 2 == 0 ? "" : "POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n12345";
    if (bytes.empty()) {
      for (int i = 0; i < 64; ++i) bytes += static_cast<char>(random());
    } else {
      for (int i = 0; i < 2; ++i) bytes[random() % bytes.size()] = static_cast<char>(random());
    }
    RawClient client(server.endpoint());
    client.send(bytes);
    client.send_no_more();
    client.read_until_closed();
  }

  EXPECT_NE(answer(server, "GET / HTTP/1.1\r\nHost: x\r\n\r\n").find("GET / "), std::string::npos);
}

TEST(Server, LimitsTheHeader) {
  ServerOptions options;
  options.max_header_bytes = 1000;
  RunningServer server(echo, options);
  const auto headers_of = [](std::size_t size) {
    const std::string begin = "Host: x\r\nFiller: ";
    return "GET / HTTP/1.1\r\n" + begin + std::string(size - begin.size() - 4, 'f') + "\r\n\r\n";
  };
  struct Row {
    std::size_t size;
    std::string_view answer;
  };
  const Row rows[] = {
      {999, "HTTP/1.1 200 OK"},
      {1000, "HTTP/1.1 200 OK"},
      {1001, "HTTP/1.1 431 Request Header Fields Too Large"},
      {100'000, "HTTP/1.1 431 Request Header Fields Too Large"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.size);
    EXPECT_EQ(first_line(answer(server, headers_of(row.size))), row.answer);
  }
  const std::string long_line = "GET /" + std::string(1000, 'a') + " HTTP/1.1\r\nHost: x\r\n\r\n";
  EXPECT_EQ(first_line(answer(server, long_line)), rows[2].answer);
}

TEST(Server, LimitsTheBody) {
  ServerOptions options;
  options.max_body_bytes = 50'000;
  RunningServer server(
      [](const Request& request) { return text_response(std::to_string(request.body.size())); },
      options);
  const auto sized = [](std::size_t size) {
    return "PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: " + std::to_string(size) + "\r\n\r\n" +
           std::string(size, 'b');
  };
  const auto chunked = [](std::size_t size) {
    std::string text = "PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (std::size_t sent = 0; sent < size;) {
      const std::size_t chunk = std::min<std::size_t>(size - sent, 999);
      char head[16];
      std::snprintf(head, sizeof head, "%zx\r\n", chunk);
      text += head + std::string(chunk, 'b') + "\r\n";
      sent += chunk;
    }
    return text + "0\r\n\r\n";
  };
  struct Row {
    std::size_t size;
    std::string_view answer;
  };
  const Row rows[] = {
      {0, "HTTP/1.1 200 OK"},
      {49'999, "HTTP/1.1 200 OK"},
      {50'000, "HTTP/1.1 200 OK"},
      {50'001, "HTTP/1.1 413 Payload Too Large"},
      // The client has sent all of it before it reads: the answer must not be lost to a reset.
      {200'000, "HTTP/1.1 413 Payload Too Large"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.size);
    const std::string by_length = answer(server, sized(row.size));
    EXPECT_EQ(first_line(by_length), row.answer);
    const std::string by_chunks = answer(server, chunked(row.size));
    EXPECT_EQ(first_line(by_chunks), row.answer);
    if (row.size <= options.max_body_bytes) {
      EXPECT_TRUE(by_length.ends_with("\r\n\r\n" + std::to_string(row.size)));
      EXPECT_TRUE(by_chunks.ends_with("\r\n\r\n" + std::to_string(row.size)));
    }
  }
}

TEST(Server, ClosesIdleConnections) {
  ServerOptions options;
  options.idle_timeout = 50ms;
  RunningServer server(echo, options);

  RawClient silent(server.endpoint());
  EXPECT_EQ(silent.read_until_closed(), "");
  RawClient done(server.endpoint());
  ASSERT_TRUE(done.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n"));
  EXPECT_TRUE(done.read_until_closed().ends_with("GET / "));
}

TEST(Server, GivesARequestOneTimeoutHoweverItTrickles) {
  for (const std::string_view begin :
       {"GET / HTTP/1.1\r\nFiller: ",
        "PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n"}) {
    SCOPED_TRACE(begin);
    ServerOptions options;
    options.request_timeout = 100ms;
    RunningServer server(echo, options);
    RawClient client(server.endpoint());
    ASSERT_TRUE(client.send(begin));

    // Far shorter pauses than the timeout, and far more of them than fit into it.
    int bytes = 0;
    while (bytes < 10'000 && !client.readable_within(2) && client.send("x")) ++bytes;

    EXPECT_LT(bytes, 10'000);
    EXPECT_EQ(client.read_until_closed(), "");
  }
}

TEST(Server, GivesUpAClientThatDoesNotReadItsAnswer) {
  ServerOptions options;
  options.request_timeout = 100ms;
  options.max_connections = 1;
  RunningServer server([](const Request&) { return text_response(std::string(32 << 20, 'x')); },
                       options);

  RawClient client(server.endpoint());
  ASSERT_TRUE(client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n"));
  // Its place is free again once it has been given up.
  std::string other;
  for (int i = 0; i < 1000 && !other.starts_with("HTTP/1.1 200"); ++i) {
    RawClient next(server.endpoint());
    next.send("HEAD / HTTP/1.1\r\nHost: x\r\n\r\n");
    other = next.read_until("\r\n\r\n");
  }

  EXPECT_TRUE(other.starts_with("HTTP/1.1 200 OK")) << other;
  EXPECT_LT(client.read_until_closed().size(), std::size_t{32} << 20);
}

TEST(Server, TellsClientsBeyondTheLimitToComeBack) {
  ServerOptions options;
  options.max_connections = 3;
  RunningServer server(echo, options);
  const std::string_view request = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
  std::vector<std::unique_ptr<RawClient>> clients;
  for (int i = 0; i < 3; ++i) {
    clients.push_back(std::make_unique<RawClient>(server.endpoint()));
    ASSERT_TRUE(clients.back()->send(request));
    ASSERT_TRUE(clients.back()->read_until("GET / ").starts_with("HTTP/1.1 200 OK"));
  }

  const std::string refused = answer(server, request);
  EXPECT_EQ(first_line(refused), "HTTP/1.1 503 Service Unavailable");
  EXPECT_NE(refused.find("too many connections"), std::string::npos);

  // The others are not disturbed, and a free place is given away.
  ASSERT_TRUE(clients[0]->send(request));
  EXPECT_TRUE(clients[0]->read_until("GET / ").starts_with("HTTP/1.1 200 OK"));
  clients[1]->send_no_more();
  EXPECT_EQ(clients[1]->read_until_closed(), "");
  EXPECT_EQ(first_line(answer(server, request)), "HTTP/1.1 200 OK");
}

// Telling a client so takes a while when it does not go; that is not done for any number at once.
TEST(Server, OnlyDisconnectsClientsFarBeyondTheLimit) {
  ServerOptions options;
  options.max_connections = 0;
  RunningServer server(echo, options);
  std::vector<std::unique_ptr<RawClient>> clients;
  std::size_t told = 0;
  for (int i = 0; i < 100; ++i) {
    clients.push_back(std::make_unique<RawClient>(server.endpoint()));
    const std::string answer = clients.back()->read_until("\r\n\r\n");
    EXPECT_TRUE(answer.empty() || answer.starts_with("HTTP/1.1 503 ")) << answer;
    if (!answer.empty()) ++told;
  }

  EXPECT_GE(told, Server::kMaxRefusals);
  EXPECT_LT(told, 100u);
}

TEST(Server, FinishesTheAnswerItIsSendingWhenItStops) {
  std::promise<void> entered;
  std::promise<void> may_answer;
  RunningServer server([&](const Request&) {
    entered.set_value();
    may_answer.get_future().wait();
    return text_response(std::string(1 << 20, 'x'));
  });
  RawClient busy(server.endpoint());
  RawClient idle(server.endpoint());
  ASSERT_TRUE(busy.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n"));
  entered.get_future().wait();

  server.server().stop();
  may_answer.set_value();

  EXPECT_TRUE(busy.read_until_closed().ends_with("\r\n\r\n" + std::string(1 << 20, 'x')));
  EXPECT_EQ(idle.read_until_closed(), "");
  server.stop();
}

TEST(Server, DoesNotWaitForSlowClientsWhenItStops) {
  RunningServer server([](const Request&) { return text_response(std::string(32 << 20, 'x')); });
  RawClient client(server.endpoint());
  ASSERT_TRUE(client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n"));
  ASSERT_TRUE(client.readable_within(10'000));

  const auto begin = std::chrono::steady_clock::now();
  server.stop();

  EXPECT_LT(std::chrono::steady_clock::now() - begin, Server::kStopGrace + 10s);
  EXPECT_LT(client.read_until_closed().size(), std::size_t{32} << 20);
}

TEST(Server, StopsFromItsHandlerTwiceAndBeforeItRuns) {
  Server* itself = nullptr;
  RunningServer server([&](const Request&) {
    itself->stop();
    itself->stop();
    return text_response("bye");
  });
  itself = &server.server();
  EXPECT_TRUE(answer(server, "GET / HTTP/1.1\r\nHost: x\r\n\r\n").ends_with("bye"));
  server.stop();

  Server unused(echo);
  ASSERT_TRUE(unused.listen(loopback()));
  unused.stop();
  unused.run();
}

TEST(Server, MayEndWithoutHavingRun) {
  Server server(echo);
  const auto endpoint = server.listen(loopback());
  ASSERT_TRUE(endpoint);
  RawClient waiting(*endpoint);
}

TEST(Server, SaysWhyItCannotListen) {
  RunningServer first(echo);
  Server second(echo);

  const auto taken = second.listen(first.endpoint());
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().code, ErrorCode::AlreadyExists);
  EXPECT_EQ(
      taken.error().message,
      first.endpoint().to_string() + ": another program listens there; stop it or choose another");

  const auto foreign = second.listen(*net::Endpoint::parse("192.0.2.1:0"));
  ASSERT_FALSE(foreign);
  EXPECT_EQ(foreign.error().code, ErrorCode::InvalidArgument);
  EXPECT_EQ(foreign.error().message,
            "192.0.2.1:0: no interface has this address; choose one of this host");
}

TEST(Server, ListensOnBothFamiliesOfOnePort) {
  Server server([](const Request& request) { return text_response(request.remote->to_string()); });
  const auto v6 = server.listen(*net::Endpoint::parse("[::]:0"));
  ASSERT_TRUE(v6) << v6.error().message;
  const auto v4 = server.listen({net::Address::any(net::Family::V4), v6->port});
  ASSERT_TRUE(v4) << v4.error().message;
  std::thread thread([&] { server.run(); });

  const auto over_v6 = request(net::Endpoint{*net::Address::parse("::1"), v6->port}, {});
  const auto over_v4 = request(net::Endpoint{*net::Address::parse("127.0.0.1"), v6->port}, {});

  server.stop();
  thread.join();
  ASSERT_TRUE(over_v6) << over_v6.error().message;
  EXPECT_TRUE(over_v6->body.starts_with("[::1]:")) << over_v6->body;
  ASSERT_TRUE(over_v4) << over_v4.error().message;
  EXPECT_TRUE(over_v4->body.starts_with("127.0.0.1:")) << over_v4->body;
}

}  // namespace
}  // namespace ginnel::http

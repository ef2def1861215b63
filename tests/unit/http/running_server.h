// A server on its own thread and a free loopback port, for tests.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <thread>

#include "http/client.h"
#include "http/server.h"

namespace ginnel::http {

inline net::Endpoint loopback() { return *net::Endpoint::parse("127.0.0.1:0"); }

class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string pattern = std::filesystem::temp_directory_path() / "ginnel-http-XXXXXX";
    EXPECT_NE(::mkdtemp(pattern.data()), nullptr);
    path_ = pattern;
  }
  ~TemporaryDirectory() { std::filesystem::remove_all(path_); }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

  std::filesystem::path operator/(std::string_view name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

class RunningServer {
 public:
  explicit RunningServer(Handler handler, const ServerOptions& options = {})
      : server_(std::move(handler), options) {
    const auto endpoint = server_.listen(loopback());
    EXPECT_TRUE(endpoint) << endpoint.error().message;
    endpoint_ = *endpoint;
    start();
  }
  RunningServer(Handler handler, const UnixListener& listener) : server_(std::move(handler)) {
    const Status listens = server_.listen(listener);
    EXPECT_TRUE(listens) << listens.error().message;
    start();
  }
  ~RunningServer() { stop(); }
  RunningServer(const RunningServer&) = delete;
  RunningServer& operator=(const RunningServer&) = delete;

  const net::Endpoint& endpoint() const { return endpoint_; }
  Server& server() { return server_; }
  // Returns when the server has ended.
  void stop() {
    server_.stop();
    if (thread_.joinable()) thread_.join();
  }

 private:
  void start() {
    thread_ = std::thread([this] { server_.run(); });
  }

  Server server_;
  net::Endpoint endpoint_;
  std::thread thread_;
};

}  // namespace ginnel::http

// A client that sends exactly the bytes it is told to, as no proper client would.
#pragma once

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <string_view>

#include "net/endpoint.h"

namespace ginnel::http {

class RawClient {
 public:
  // Longer than any timeout of a server under test: who waits this long waits in vain.
  static constexpr int kPatienceSeconds = 20;

  explicit RawClient(const net::Endpoint& server) : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in name{};
    name.sin_family = AF_INET;
    name.sin_port = htons(server.port);
    name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const timeval patience{.tv_sec = kPatienceSeconds, .tv_usec = 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    ::setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    EXPECT_EQ(::connect(fd_, reinterpret_cast<sockaddr*>(&name), sizeof name), 0);
  }
  ~RawClient() { ::close(fd_); }
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  // False when the server has closed or does not read.
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }
  void send_no_more() { ::shutdown(fd_, SHUT_WR); }

  // Until the text received so far ends with `end`, or the server closes.
  std::string read_until(std::string_view end) {
    std::string text;
    char c = 0;
    while (!text.ends_with(end) && ::recv(fd_, &c, 1, 0) == 1) text += c;
    return text;
  }
  // Fails the test when the server keeps the connection open.
  std::string read_until_closed() {
    std::string text;
    char block[4096];
    ssize_t received = 0;
    while ((received = ::recv(fd_, block, sizeof block, 0)) > 0) {
      text.append(block, static_cast<std::size_t>(received));
    }
    EXPECT_TRUE(received == 0 || errno == ECONNRESET) << "the connection stayed open";
    return text;
  }
  // Whether there is something to read, or the end, within that time.
  bool readable_within(int milliseconds) {
    pollfd waiting{.fd = fd_, .events = POLLIN, .revents = 0};
    return ::poll(&waiting, 1, milliseconds) > 0;
  }

 private:
  int fd_;
};

}  // namespace ginnel::http

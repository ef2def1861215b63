#include "os/tcp_stream.h"

#include <gtest/gtest.h>

#include <numeric>
#include <optional>
#include <thread>

#include "unit/os/test_network.h"

namespace ginnel::os {
namespace {

net::Endpoint loopback(net::Family family, std::uint16_t port) {
  const char* text = family == net::Family::V4 ? "127.0.0.1" : "::1";
  return {.address = *net::Address::parse(text), .port = port};
}

class TcpStreamTest : public testing::Test {
  Namespace space_;
  Namespace::Inside inside_{space_};
};

TEST_F(TcpStreamTest, CarriesBytesAndTheirEndInBothFamilies) {
  for (const auto family : {net::Family::V4, net::Family::V6}) {
    auto listener = TcpListener::bind(loopback(family, 0));
    ASSERT_TRUE(listener) << listener.error().message;
    std::vector<std::uint8_t> sent(1'000'003);
    std::iota(sent.begin(), sent.end(), std::uint8_t{0});
    auto client = TcpStream::connect(loopback(family, listener->port()));
    ASSERT_TRUE(client) << client.error().message;
    auto server = listener->accept();
    ASSERT_TRUE(server) << server.error().message;

    std::thread sender([&] {
      for (ByteView rest = sent; !rest.empty();) {
        const auto size = client->send_some(rest);
        ASSERT_TRUE(size) << size.error().message;
        rest = rest.subspan(*size);
      }
      client = fail(ErrorCode::NotFound, "closed");
    });
    std::vector<std::uint8_t> got, piece(4096);
    while (true) {
      const auto size = server->receive_some(piece);
      ASSERT_TRUE(size) << size.error().message;
      if (*size == 0) break;
      got.insert(got.end(), piece.begin(), piece.begin() + static_cast<std::ptrdiff_t>(*size));
    }
    sender.join();
    EXPECT_EQ(got, sent);
  }
}

TEST_F(TcpStreamTest, NamesWhomItCannotReach) {
  const auto refused = TcpStream::connect(loopback(net::Family::V4, 1));
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("127.0.0.1:1"), std::string::npos);
  auto listener = TcpListener::bind(loopback(net::Family::V4, 0));
  const auto taken = TcpListener::bind(loopback(net::Family::V4, listener->port()));
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().code, ErrorCode::AlreadyExists);
}

TEST_F(TcpStreamTest, SaysThatTheOtherEndIsGone) {
  auto listener = TcpListener::bind(loopback(net::Family::V4, 0));
  auto client = TcpStream::connect(loopback(net::Family::V4, listener->port()));
  {
    auto server = listener->accept();
    ASSERT_TRUE(server);
  }
  const std::vector<std::uint8_t> bytes(100'000);
  Result<std::size_t> sent = 0;
  for (int i = 0; i < 1000 && sent; ++i) sent = client->send_some(bytes);
  EXPECT_FALSE(sent);
}

}  // namespace
}  // namespace ginnel::os

#include "os/connected_socket.h"

#include <gtest/gtest.h>

#include "os/clock.h"
#include "os/poller.h"
#include "os/udp_socket.h"

namespace ginnel::os {
namespace {

net::Endpoint at(const char* address, std::uint16_t port = 0) {
  return {.address = net::Address::parse(address).value(), .port = port};
}

bool wait_readable(int fd) {
  auto poller = Poller::create().value();
  EXPECT_TRUE(poller.add(fd, 1, Interest::Read));
  return !poller.wait_until(Clock().mono() + 10s).empty();
}

TEST(StreamListener, TakesWhoConnects) {
  for (const char* const address : {"127.0.0.1", "::1"}) {
    SCOPED_TRACE(address);
    auto listener = StreamListener::listen(at(address)).value();
    EXPECT_FALSE(listener.accept().value());
    const Fd client = begin_stream(at(address, listener.port()), {}).value();
    ASSERT_TRUE(wait_readable(listener.fd()));
    const auto accepted = listener.accept().value();
    ASSERT_TRUE(accepted);
    EXPECT_EQ(accepted->from.address, at(address).address);
    EXPECT_TRUE(finish_connecting(client.get(), 10s));
  }
}

TEST(StreamListener, NamesWhoHasThePort) {
  const auto first = StreamListener::listen(at("127.0.0.1")).value();
  const auto second = StreamListener::listen(at("127.0.0.1", first.port()));
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::AlreadyExists);
  EXPECT_NE(second.error().message.find("choose another port"), std::string::npos);
}

TEST(StreamListener, MayWaitForItsAddress) {
  for (const char* const address : {"192.0.2.77", "2001:db8::77"}) {
    SCOPED_TRACE(address);
    EXPECT_FALSE(StreamListener::listen(at(address)));
    EXPECT_TRUE(StreamListener::listen(at(address), {.before_address = true}));
    EXPECT_FALSE(UdpSocket::bind({.address = at(address).address}));
    EXPECT_TRUE(UdpSocket::bind({.address = at(address).address, .before_address = true}));
  }
}

TEST(ConnectedSocket, SaysThatNobodyIsThere) {
  std::uint16_t port = 0;
  {
    port = StreamListener::listen(at("127.0.0.1")).value().port();
  }
  const auto stream = begin_stream(at("127.0.0.1", port), {});
  if (stream) {
    EXPECT_FALSE(finish_connecting(stream->get(), 10s));
  }
  const Fd datagrams = connect_datagrams(at("127.0.0.1", port), {}).value();
  ASSERT_TRUE(send_datagram(datagrams.get(), {}));
  ASSERT_TRUE(wait_readable(datagrams.get()));
  std::array<std::uint8_t, 16> room;
  EXPECT_FALSE(receive_datagram(datagrams.get(), room));
}

TEST(ConnectedSocket, NamesAnInterfaceThatIsMissing) {
  const auto socket =
      connect_datagrams(at("127.0.0.1", 9), {.interface = "none", .address = at("::1").address});
  ASSERT_FALSE(socket);
}

TEST(ConnectedSocket, LeavesFromItsAddress) {
  const Fd receiver = connect_datagrams(at("127.0.0.1", 9), {}).value();
  const auto from = connect_datagrams(at("127.0.0.1", 9), {.address = at("127.0.0.77").address});
  EXPECT_TRUE(from);
  EXPECT_FALSE(connect_datagrams(at("127.0.0.1", 9), {.address = at("192.0.2.77").address}));
}

}  // namespace
}  // namespace ginnel::os

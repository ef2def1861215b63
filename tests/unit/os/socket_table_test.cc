#include "os/socket_table.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>

#include "unit/os/private_network.h"

namespace ginnel::os {
namespace {

using hostnet::TcpSocket;

class SocketTable : public PrivateNetwork {};

// The kernel accepts by itself whatever waits in the queue of one that listens.
TEST_F(SocketTable, HasWhatListensAndWhatIsConnected) {
  shell("ip link set lo up");
  const auto sockets = list_tcp_sockets();
  ASSERT_TRUE(sockets) << sockets.error().message;
  EXPECT_TRUE(sockets->empty());
  Fd listener(::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in6 any{};
  any.sin6_family = AF_INET6;
  any.sin6_port = htons(2200);
  ASSERT_EQ(::bind(listener.get(), reinterpret_cast<sockaddr*>(&any), sizeof any), 0);
  ASSERT_EQ(::listen(listener.get(), 4), 0);
  Fd caller(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(2200);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(::connect(caller.get(), reinterpret_cast<sockaddr*>(&to), sizeof to), 0);
  const auto listed = list_tcp_sockets();
  ASSERT_TRUE(listed) << listed.error().message;
  const net::Endpoint server = net::Endpoint::parse("127.0.0.1:2200").value();
  const auto count = [&](auto&& is_it) { return std::ranges::count_if(*listed, is_it); };
  EXPECT_EQ(listed->size(), 3u);
  EXPECT_EQ(count([](const TcpSocket& s) {
              return s.listens && s.local == net::Endpoint::parse("[::]:2200").value();
            }),
            1);
  EXPECT_EQ(count([&](const TcpSocket& s) { return !s.listens && s.local == server; }), 1);
  EXPECT_EQ(count([&](const TcpSocket& s) { return !s.listens && s.remote == server; }), 1);
}

}  // namespace
}  // namespace ginnel::os

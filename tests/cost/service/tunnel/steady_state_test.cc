// Needs root. What two whole tunnels allocate while they carry traffic both ways, all threads
// together: nothing.
#include <fcntl.h>
#include <poll.h>

#include "cost/core/wg/allocation_counter.h"
#include "unit/service/tunnel/two_ends.h"

namespace ginnel::tunnel {
namespace {

using test::Allocations;

// What is on its way fits every buffer.
constexpr int kBurst = 32;

// So many datagrams of each size to one end and back again, in bursts.
void carry_datagrams(const os::Fd& client, const os::Fd& server, SocketAddress to, int bursts) {
  std::array<std::uint8_t, kMtu> bytes{};
  for (int i = 0; i < bursts; ++i) {
    const std::size_t size = i % 2 == 0 ? 64 : 1300;
    for (int j = 0; j < kBurst; ++j) {
      ASSERT_EQ(sendto(client.get(), bytes.data(), size, 0, to.get(), to.size),
                static_cast<ssize_t>(size));
    }
    for (int j = 0; j < kBurst; ++j) {
      SocketAddress from{.size = sizeof(sockaddr_storage)};
      ASSERT_EQ(recvfrom(server.get(), bytes.data(), bytes.size(), 0, from.get(), &from.size),
                static_cast<ssize_t>(size));
      ASSERT_EQ(sendto(server.get(), bytes.data(), size, 0, from.get(), from.size),
                static_cast<ssize_t>(size));
    }
    for (int j = 0; j < kBurst; ++j) {
      ASSERT_EQ(recv(client.get(), bytes.data(), bytes.size(), 0), static_cast<ssize_t>(size));
    }
  }
}

// So many bytes of a stream in each direction, by one thread.
void carry_streams(const os::Fd& client, const os::Fd& server, std::size_t total) {
  static std::array<std::uint8_t, 1 << 16> bytes;
  std::array<pollfd, 2> ends{pollfd{.fd = client.get(), .events = POLLIN | POLLOUT, .revents = 0},
                             pollfd{.fd = server.get(), .events = POLLIN | POLLOUT, .revents = 0}};
  std::array<std::size_t, 2> sent{}, received{};
  while (received[0] < total || received[1] < total) {
    ASSERT_GT(poll(ends.data(), ends.size(), 20'000), 0);
    for (std::size_t i = 0; i < 2; ++i) {
      if ((ends[i].revents & POLLIN) != 0) {
        const ssize_t size = recv(ends[i].fd, bytes.data(), bytes.size(), MSG_DONTWAIT);
        ASSERT_GT(size, 0);
        received[i] += static_cast<std::size_t>(size);
      }
      if ((ends[i].revents & POLLOUT) != 0 && sent[i] < total) {
        const std::size_t size = std::min(bytes.size(), total - sent[i]);
        const ssize_t taken = send(ends[i].fd, bytes.data(), size, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (taken > 0) sent[i] += static_cast<std::size_t>(taken);
      }
      ends[i].events = static_cast<short>(sent[i] < total ? POLLIN | POLLOUT : POLLIN);
    }
  }
}

struct Connection {
  os::Fd client, server;
};

void connect(Ends& ends, bool v6, Connection& connection) {
  const os::Fd listener = ends.open(v6, SOCK_STREAM, 2, 7001);
  ASSERT_EQ(listen(listener.get(), 1), 0);
  connection.client = ends.open(v6, SOCK_STREAM, 1, 0);
  SocketAddress to = inner(v6, 2, 7001);
  ASSERT_EQ(::connect(connection.client.get(), to.get(), to.size), 0);
  connection.server = os::Fd(accept(listener.get(), nullptr, nullptr));
  ASSERT_TRUE(connection.server);
}

TEST(SteadyState, OfWholeTunnelsAllocatesNothing) {
  Ends ends;
  for (const bool offloads : {true, false}) {
    for (const auto library : {crypto::AeadLibrary::Automatic, crypto::AeadLibrary::OpenSsl}) {
      ASSERT_NO_FATAL_FAILURE(ends.start(
          {.workers = 2,
           .path = {.aead = library,
                    .tun_offloads = {.tcp_v4 = offloads, .tcp_v6 = offloads, .udp = offloads},
                    .udp_gso = offloads,
                    .udp_gro = offloads}}));
      for (const bool v6 : {false, true}) {
        SCOPED_TRACE(
            fmt::format("offloads {}, library {}, v6 {}", offloads, static_cast<int>(library), v6));
        const os::Fd server = ends.open(v6, SOCK_DGRAM, 2, 7000);
        const os::Fd client = ends.open(v6, SOCK_DGRAM, 1, 0);
        const SocketAddress to = inner(v6, 2, 7000);
        Connection stream;
        ASSERT_NO_FATAL_FAILURE(connect(ends, v6, stream));
        const auto carry = [&] {
          carry_datagrams(client, server, to, 20);
          carry_streams(stream.client, stream.server, 8'000'000);
        };
        ASSERT_NO_FATAL_FAILURE(carry());  // Buffers grow to what they need.
        // The control thread hears of the young interfaces now and then; traffic would show always.
        std::uint64_t fewest = ~std::uint64_t{0};
        for (int i = 0; i < 5 && fewest != 0; ++i) {
          const std::uint64_t before = Allocations::now().count;
          ASSERT_NO_FATAL_FAILURE(carry());
          fewest = std::min(fewest, Allocations::now().count - before);
        }
        EXPECT_EQ(fewest, 0u);
      }
      ends.stop();
    }
  }
}

}  // namespace
}  // namespace ginnel::tunnel

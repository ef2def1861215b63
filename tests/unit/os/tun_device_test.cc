// These tests need root: each runs on a thread of its own, in network namespaces of its own, and
// drives real TUN interfaces of the running kernel.
#include "os/tun_device.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <functional>
#include <set>
#include <thread>

#include "refused_calls.h"
#include "unit/net/packet_builder.h"

namespace ginnel::os {
namespace {

using net::PacketBatch;
using net::testing::build;
using net::testing::Bytes;
using net::testing::is_sound;
using net::testing::random_bytes;

void enter_new_namespace() { ASSERT_EQ(::unshare(CLONE_NEWNET), 0) << "needs root"; }

void in_own_namespace(const std::function<void()>& body) {
  std::thread([&] {
    enter_new_namespace();
    if (!::testing::Test::HasFatalFailure()) body();
  }).join();
}

void run(const std::string& command) { ASSERT_EQ(std::system(command.c_str()), 0) << command; }

// Gives an interface 10.9.0.HOST/24 and fd09::HOST/64 and takes it up. The kernel then sends
// nothing of its own accord: no router solicitations, no multicast reports.
void configure(const std::string& name, int host) {
  run(
      fmt::format("ip link set {0} mtu 1420 multicast off addrgenmode none && "
                  "ip addr add 10.9.0.{1}/24 dev {0} && ip addr add fd09::{1}/64 dev {0} nodad && "
                  "ip link set {0} up",
                  name, host));
}

std::unique_ptr<TunDevice> make_tun(const TunOptions& options, int host) {
  auto device = TunDevice::open(options);
  EXPECT_TRUE(device) << (device ? "" : device.error().message);
  if (!device) return nullptr;
  configure((*device)->name(), host);
  return std::move(*device);
}

struct SocketAddress {
  sockaddr_in6 storage{};
  socklen_t size = 0;

  static SocketAddress of(bool v6, int host, std::uint16_t port) {
    SocketAddress address;
    if (v6) {
      address.storage.sin6_family = AF_INET6;
      address.storage.sin6_port = htons(port);
      const std::string text = fmt::format("fd09::{}", host);
      EXPECT_EQ(::inet_pton(AF_INET6, text.c_str(), &address.storage.sin6_addr), 1);
      address.size = sizeof(sockaddr_in6);
    } else {
      sockaddr_in v4{};
      v4.sin_family = AF_INET;
      v4.sin_port = htons(port);
      const std::string text = fmt::format("10.9.0.{}", host);
      EXPECT_EQ(::inet_pton(AF_INET, text.c_str(), &v4.sin_addr), 1);
      std::memcpy(&address.storage, &v4, sizeof v4);
      address.size = sizeof v4;
    }
    return address;
  }
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

// A socket bound in the calling thread's namespace that gives up waiting after ten seconds.
Fd bound_socket(bool v6, int type, int host, std::uint16_t port) {
  Fd fd(::socket(v6 ? AF_INET6 : AF_INET, type | SOCK_CLOEXEC, 0));
  const timeval patience{.tv_sec = 10, .tv_usec = 0};
  EXPECT_EQ(::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience), 0);
  EXPECT_EQ(::setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience), 0);
  const int buffer = 4 << 20;
  EXPECT_EQ(::setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof buffer), 0);
  const SocketAddress address = SocketAddress::of(v6, host, port);
  EXPECT_EQ(::bind(fd.get(), address.get(), address.size), 0);
  return fd;
}

// One way of a tunnel without cryptography.
TunDevice::State forward(TunDevice& from, PacketBatch& batch, TunDevice& to) {
  const TunDevice::State state = from.read_batch(batch);
  std::array<ByteSpan, PacketBatch::kMaxPackets> packets;
  for (std::size_t i = 0; i < batch.size(); ++i) packets[i] = batch.packet(i);
  to.write(std::span(packets).first(batch.size()));
  batch.clear();
  return state;
}

// Two hosts, 10.9.0.1 and 10.9.0.2, each in a namespace of its own:
//
//   host 1 ──── TUN ──── this thread's loop ──── TUN ──── host 2
//
// The constructor leaves the calling thread in the namespace of host 2.
class Tunnel {
 public:
  explicit Tunnel(const TunOptions& options) {
    enter_new_namespace();
    near = make_tun(options, 1);
    for (const bool v6 : {false, true}) {
      tcp_listener[v6] = bound_socket(v6, SOCK_STREAM, 1, 7000);
      EXPECT_EQ(::listen(tcp_listener[v6].get(), 1), 0);
      udp[v6] = bound_socket(v6, SOCK_DGRAM, 1, 7001);
    }
    enter_new_namespace();
    far = make_tun(options, 2);
    loop_ = std::thread([this] { carry(); });
  }
  ~Tunnel() { stop(); }

  // Ends the loop, so that counters can be compared.
  void stop() {
    stopping_ = true;
    if (loop_.joinable()) loop_.join();
  }

  std::unique_ptr<TunDevice> near;
  std::unique_ptr<TunDevice> far;
  std::array<Fd, 2> tcp_listener;  // By family, of host 1.
  std::array<Fd, 2> udp;

 private:
  void carry() {
    PacketBatch batch;
    std::array<pollfd, 2> ready{{{near->fd(), POLLIN, 0}, {far->fd(), POLLIN, 0}}};
    while (!stopping_) {
      ::poll(ready.data(), ready.size(), 20);
      while (forward(*near, batch, *far) == TunDevice::State::Full) {
      }
      while (forward(*far, batch, *near) == TunDevice::State::Full) {
      }
    }
  }

  std::atomic<bool> stopping_ = false;
  std::thread loop_;
};

// Every test of carried traffic runs with each offload on and off.
const std::pair<const char*, TunOptions> kVariants[] = {
    {"everything", {}},
    {"no UDP offload", {.offloads = {.tcp_v4 = true, .tcp_v6 = true, .udp = false}}},
    {"no TCP offload", {.offloads = {.tcp_v4 = false, .tcp_v6 = false, .udp = true}}},
    {"TCP over IPv4 only", {.offloads = {.tcp_v4 = true, .tcp_v6 = false, .udp = false}}},
    {"TCP over IPv6 only", {.offloads = {.tcp_v4 = false, .tcp_v6 = true, .udp = false}}},
    {"checksums only", {.offloads = {.tcp_v4 = false, .tcp_v6 = false, .udp = false}}},
    {"no virtio header", {.virtio_header = false}},
};

void send_all(int fd, ByteView bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    ASSERT_GT(sent, 0);
    bytes = bytes.subspan(static_cast<std::size_t>(sent));
  }
}

void expect_received(int fd, ByteView wanted) {
  Bytes got(wanted.size());
  std::size_t size = 0;
  while (size < got.size()) {
    const ssize_t received = ::recv(fd, &got[size], got.size() - size, 0);
    ASSERT_GT(received, 0) << "after " << size << " bytes";
    size += static_cast<std::size_t>(received);
  }
  EXPECT_TRUE(std::equal(got.begin(), got.end(), wanted.begin()));
}

TEST(TunDevice, CarriesTcpStreamsExactlyBothWaysAtOnce) {
  for (const auto& [name, options] : kVariants) {
    for (const bool v6 : {false, true}) {
      SCOPED_TRACE(fmt::format("{} v6 {}", name, v6));
      in_own_namespace([&] {
        Tunnel tunnel(options);
        const Fd client = bound_socket(v6, SOCK_STREAM, 2, 0);
        const SocketAddress server_address = SocketAddress::of(v6, 1, 7000);
        ASSERT_EQ(::connect(client.get(), server_address.get(), server_address.size), 0);
        const Fd server(::accept(tunnel.tcp_listener[v6].get(), nullptr, nullptr));
        ASSERT_TRUE(server);
        std::mt19937 random(1);
        const Bytes up = random_bytes(random, 4'000'003);
        const Bytes down = random_bytes(random, 4'000'001);
        std::thread upwards([&] { send_all(client.get(), up); });
        std::thread downwards([&] { send_all(server.get(), down); });
        std::thread upper([&] { expect_received(server.get(), up); });
        expect_received(client.get(), down);
        upwards.join(), downwards.join(), upper.join();
        tunnel.stop();
        for (const TunDevice* device : {tunnel.near.get(), tunnel.far.get()}) {
          const TunCounters& counters = device->counters();
          const bool offload =
              options.virtio_header && (v6 ? options.offloads.tcp_v6 : options.offloads.tcp_v4);
          EXPECT_EQ(counters.of(TunCount::SuperPacketsRead) > 0, offload);
          EXPECT_EQ(counters.of(TunCount::SuperPacketsWritten) > 0, offload);
          EXPECT_GT(counters.of(TunCount::PacketsRead), 2800u);
          for (auto c = TunCount::ReadNotIp; c < TunCount::kCount;
               c = static_cast<TunCount>(std::to_underlying(c) + 1)) {
            EXPECT_EQ(counters.of(c), 0u) << name_of(c);
          }
          EXPECT_EQ(counters.of(TunCount::OffloadsGivenUp), 0u);
        }
      });
    }
  }
}

// Sends until one arrives: the kernel drops what it is given before its view of a new interface has
// settled. Then takes what else is on its way, up to a last word.
void await_way(const Fd& client, const SocketAddress& server, const Fd& listener) {
  const auto send_word = [&](char word) {
    ASSERT_EQ(::sendto(client.get(), &word, 1, 0, server.get(), server.size), 1);
  };
  pollfd arrival{listener.get(), POLLIN, 0};
  for (int i = 0; i < 500 && ::poll(&arrival, 1, 20) == 0; ++i) send_word('?');
  send_word('.');
  char word = 0;
  while (word != '.') ASSERT_EQ(::recv(listener.get(), &word, 1, 0), 1);
}

TEST(TunDevice, CarriesDatagramsOfEverySizeExactly) {
  for (const auto& [name, options] : kVariants) {
    for (const bool v6 : {false, true}) {
      SCOPED_TRACE(fmt::format("{} v6 {}", name, v6));
      in_own_namespace([&] {
        Tunnel tunnel(options);
        const Fd client = bound_socket(v6, SOCK_DGRAM, 2, 0);
        const SocketAddress server = SocketAddress::of(v6, 1, 7001);
        std::mt19937 random(2);
        Bytes got(65536);
        await_way(client, server, tunnel.udp[v6]);
        for (const std::size_t size : {0u, 1u, 2u, 1371u, 1372u, 1373u, 1392u, 1393u, 9000u}) {
          const Bytes sent = random_bytes(random, size);
          ASSERT_EQ(::sendto(client.get(), sent.data(), size, 0, server.get(), server.size),
                    static_cast<ssize_t>(size));
          const ssize_t received = ::recv(tunnel.udp[v6].get(), got.data(), got.size(), 0);
          ASSERT_EQ(received, static_cast<ssize_t>(size));
          EXPECT_TRUE(std::equal(sent.begin(), sent.end(), got.begin()));
        }
      });
    }
  }
}

// One send of 40 datagrams crosses each TUN device in one system call: the point of the offload.
TEST(TunDevice, MovesASuperPacketOfDatagramsWithOneReadAndOneWrite) {
  constexpr std::size_t kCount = 40;
  constexpr int kSize = 1300;
  for (const auto& [name, options] : kVariants) {
    for (const bool v6 : {false, true}) {
      SCOPED_TRACE(fmt::format("{} v6 {}", name, v6));
      in_own_namespace([&] {
        Tunnel tunnel(options);
        const Fd client = bound_socket(v6, SOCK_DGRAM, 2, 0);
        const SocketAddress server = SocketAddress::of(v6, 1, 7001);
        await_way(client, server, tunnel.udp[v6]);
        tunnel.stop();
        ASSERT_EQ(::setsockopt(client.get(), IPPROTO_UDP, UDP_SEGMENT, &kSize, sizeof kSize), 0);
        std::mt19937 random(3);
        const Bytes sent = random_bytes(random, kCount * kSize);
        PacketBatch batch;
        const auto counts = [&](TunCount read, TunCount write) {
          return std::pair(tunnel.far->counters().of(read), tunnel.near->counters().of(write));
        };
        const auto calls = counts(TunCount::Reads, TunCount::Writes);
        const auto packets = counts(TunCount::PacketsRead, TunCount::PacketsWritten);

        ASSERT_EQ(::sendto(client.get(), sent.data(), sent.size(), 0, server.get(), server.size),
                  static_cast<ssize_t>(sent.size()));
        forward(*tunnel.far, batch, *tunnel.near);

        const bool offload = options.virtio_header && options.offloads.udp;
        const std::size_t expected = offload ? 1 : kCount;
        EXPECT_EQ(counts(TunCount::Reads, TunCount::Writes),
                  std::pair(calls.first + expected, calls.second + expected));
        EXPECT_EQ(counts(TunCount::PacketsRead, TunCount::PacketsWritten),
                  std::pair(packets.first + kCount, packets.second + kCount));
        Bytes got(kSize + 1);
        for (std::size_t i = 0; i < kCount; ++i) {
          ASSERT_EQ(::recv(tunnel.udp[v6].get(), got.data(), got.size(), 0), kSize);
          EXPECT_TRUE(std::equal(got.begin(), got.end() - 1,
                                 sent.begin() + static_cast<std::ptrdiff_t>(i) * kSize));
        }
      });
    }
  }
}

TEST(TunDevice, ReadsPacketsWithFinishedChecksums) {
  for (const auto& [name, options] : kVariants) {
    SCOPED_TRACE(name);
    in_own_namespace([&] {
      const auto device = make_tun(options, 1);
      const Fd socket = bound_socket(false, SOCK_DGRAM, 1, 0);
      const SocketAddress peer = SocketAddress::of(false, 2, 9);
      const Bytes payload(333, 7);
      PacketBatch batch;
      ASSERT_GT(::sendto(socket.get(), payload.data(), 333, 0, peer.get(), peer.size), 0);
      EXPECT_EQ(device->read_batch(batch), TunDevice::State::Drained);
      ASSERT_EQ(batch.size(), 1u);
      EXPECT_TRUE(is_sound(batch.packet(0)));
      EXPECT_EQ(batch.packet(0).size(), 28u + 333u);
    });
  }
}

TEST(TunDevice, StopsAtAFullBatchAndGoesOnWithTheNext) {
  in_own_namespace([&] {
    const auto device = make_tun({}, 1);
    const Fd socket = bound_socket(false, SOCK_DGRAM, 1, 0);
    const SocketAddress peer = SocketAddress::of(false, 2, 9);
    PacketBatch batch;
    constexpr int kSize = 100;
    ASSERT_EQ(::setsockopt(socket.get(), IPPROTO_UDP, UDP_SEGMENT, &kSize, sizeof kSize), 0);
    const Bytes payload(50 * kSize, 7);
    for (int i = 0; i < 3; ++i) {
      ASSERT_GT(::sendto(socket.get(), payload.data(), payload.size(), 0, peer.get(), peer.size),
                0);
    }
    EXPECT_EQ(device->read_batch(batch), TunDevice::State::Full);
    EXPECT_EQ(batch.size(), PacketBatch::kMaxPackets);
    EXPECT_EQ(device->read_batch(batch), TunDevice::State::Full);
    batch.clear();
    EXPECT_EQ(device->read_batch(batch), TunDevice::State::Drained);
    EXPECT_EQ(batch.size(), 150 - PacketBatch::kMaxPackets);
  });
}

// A damaged packet must reach the kernel as it is, where its checksum is looked at.
TEST(TunDevice, LeavesTheVerdictOnDamagedPacketsToTheKernel) {
  for (const auto& [name, options] : kVariants) {
    SCOPED_TRACE(name);
    in_own_namespace([&] {
      const auto device = make_tun(options, 1);
      const Fd socket = bound_socket(false, SOCK_DGRAM, 1, 2000);
      std::vector<Bytes> packets;
      for (std::uint8_t i = 0; i < 4; ++i) {
        packets.push_back(build(
            {.udp = true, .network = 9, .source = 2, .destination = 1, .payload = Bytes(64, i)}));
      }
      packets[1].back() ^= 1;
      std::vector<ByteSpan> spans(packets.begin(), packets.end());
      device->write(spans);
      Bytes got(2000);
      for (const unsigned wanted : {0u, 2u, 3u}) {
        ASSERT_EQ(::recv(socket.get(), got.data(), got.size(), 0), 64);
        EXPECT_EQ(got[0], wanted);
      }
    });
  }
}

TEST(TunDevice, CountsWhatCannotBeWritten) {
  in_own_namespace([&] {
    auto device = TunDevice::open({});
    ASSERT_TRUE(device);
    Bytes packet = build({.udp = true});
    Bytes junk(40, 0);
    const std::array<ByteSpan, 2> packets{packet, junk};
    EXPECT_EQ((*device)->write(packets), TunDevice::State::Drained);  // It is down.
    EXPECT_EQ((*device)->counters().of(TunCount::WriteDeviceDown), 1u);
    EXPECT_EQ((*device)->counters().of(TunCount::WriteNotIp), 1u);

    configure((*device)->name(), 1);
    EXPECT_EQ((*device)->write(packets), TunDevice::State::Drained);
    EXPECT_EQ((*device)->counters().of(TunCount::WriteDeviceDown), 1u);
    EXPECT_EQ((*device)->counters().of(TunCount::PacketsWritten), 1u);
  });
}

TEST(TunDevice, ReportsADeletedInterfaceOnBothWays) {
  in_own_namespace([&] {
    const auto device = make_tun({}, 1);
    run(fmt::format("ip link del {}", device->name()));
    PacketBatch batch;
    EXPECT_EQ(device->read_batch(batch), TunDevice::State::Gone);
    Bytes packet = build({.udp = true});
    const std::array<ByteSpan, 1> packets{packet};
    EXPECT_EQ(device->write(packets), TunDevice::State::Gone);
  });
}

// Whole packets as the kernel takes them from the interface, in order.
Fd watcher_of(const TunDevice& device) {
  Fd fd(::socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, htons(ETH_P_ALL)));
  const timeval patience{.tv_sec = 10, .tv_usec = 0};
  EXPECT_EQ(::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience), 0);
  sockaddr_ll address{};
  address.sll_family = AF_PACKET;
  address.sll_protocol = htons(ETH_P_ALL);
  address.sll_ifindex = static_cast<int>(::if_nametoindex(device.name().c_str()));
  EXPECT_EQ(::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  return fd;
}

Bytes next_taken(const Fd& watcher) {
  while (true) {
    Bytes packet(1 << 16);
    sockaddr_ll from{};
    socklen_t size = sizeof from;
    const ssize_t length = ::recvfrom(watcher.get(), packet.data(), packet.size(), 0,
                                      reinterpret_cast<sockaddr*>(&from), &size);
    if (length >= 0 && from.sll_pkttype == PACKET_OUTGOING) continue;  // What the host answers.
    packet.resize(length < 0 ? 0 : static_cast<std::size_t>(length));
    return packet;
  }
}

std::vector<Bytes> neighbours_of_one_flow(bool v6, bool udp, std::uint8_t round) {
  constexpr std::size_t kSize = 50;
  std::vector<Bytes> packets;
  for (std::uint8_t i = 0; i < 5; ++i) {
    const unsigned number = round * 5u + i;
    packets.push_back(build({.v6 = v6,
                             .udp = udp,
                             .network = 9,
                             .source = 2,
                             .destination = 1,
                             .sequence = 5000 + number * static_cast<std::uint32_t>(kSize),
                             .identification = static_cast<std::uint16_t>(number),
                             .payload = Bytes(kSize, static_cast<std::uint8_t>(number))}));
  }
  return packets;
}

TEST(TunDevice, LosesNothingWhenTheKernelRefusesSuperPacketsAndGivesThatKindUp) {
  for (const bool udp : {false, true}) {
    for (const bool v6 : {false, true}) {
      SCOPED_TRACE(fmt::format("UDP {} v6 {}", udp, v6));
      in_own_namespace([&] {
        const auto device = make_tun({}, 1);
        const Fd watcher = watcher_of(*device);
        refuse(SYS_writev, {{2, BPF_JGT, 2}});  // More pieces than header and packet: joined.
        const auto is_on = [&](bool is_udp, bool is_v6) {
          const auto kinds = device->write_offloads();
          if (is_udp) return kinds.udp;
          return is_v6 ? kinds.tcp_v6 : kinds.tcp_v4;
        };
        for (std::uint8_t round = 0; round <= TunDevice::kMaxRefusals; ++round) {
          EXPECT_EQ(is_on(udp, v6), round < TunDevice::kMaxRefusals);
          std::vector<Bytes> packets = neighbours_of_one_flow(v6, udp, round);
          std::vector<ByteSpan> spans(packets.begin(), packets.end());
          EXPECT_EQ(device->write(spans), TunDevice::State::Drained);
          for (const Bytes& packet : neighbours_of_one_flow(v6, udp, round)) {
            ASSERT_EQ(next_taken(watcher), packet);
          }
        }
        EXPECT_EQ(device->counters().of(TunCount::OffloadsGivenUp), 1u);
        EXPECT_EQ(device->counters().of(TunCount::PacketsWritten),
                  5 * (TunDevice::kMaxRefusals + 1));
        EXPECT_EQ(device->counters().of(TunCount::SuperPacketsWritten), 0u);
        EXPECT_TRUE(is_on(!udp, v6));  // The other kinds stay.
        EXPECT_TRUE(udp || is_on(false, !v6));
      });
    }
  }
}

// A kernel that offers a kind of super-packet and then cannot say what it is fails the read.
TEST(TunDevice, AsksForSinglePacketsWhenTheKernelCannotHandOutSuperPackets) {
  in_own_namespace([&] {
    auto first = make_tun({.multi_queue = true}, 1);
    const auto opened = first->open_queue();
    ASSERT_TRUE(opened) << opened.error().message;
    TunDevice& second = **opened;
    const Fd client = bound_socket(false, SOCK_DGRAM, 1, 0);
    const SocketAddress peer = SocketAddress::of(false, 2, 9);
    constexpr int kSize = 1300;
    ASSERT_EQ(::setsockopt(client.get(), IPPROTO_UDP, UDP_SEGMENT, &kSize, sizeof kSize), 0);
    const Bytes payload(20 * kSize, 7);
    PacketBatch batch;
    const auto send = [&] {
      ASSERT_EQ(::sendto(client.get(), payload.data(), payload.size(), 0, peer.get(), peer.size),
                static_cast<ssize_t>(payload.size()));
    };
    send();
    first->read_batch(batch), second.read_batch(batch);
    ASSERT_EQ(batch.size(), 20u);
    ASSERT_EQ(first->counters().of(TunCount::SuperPacketsRead) +
                  second.counters().of(TunCount::SuperPacketsRead),
              1u);

    refuse(SYS_read, {{0, BPF_JEQ, static_cast<std::uint32_t>(first->fd())}});
    for (unsigned i = 0; i < TunDevice::kMaxRefusals; ++i) {
      EXPECT_TRUE(first->read_offloads().udp);
      EXPECT_EQ(first->counters().of(TunCount::OffloadsGivenUp), 0u);
      EXPECT_EQ(first->read_batch(batch), TunDevice::State::Failed);
    }
    EXPECT_FALSE(first->read_offloads().udp || first->read_offloads().tcp_v4);
    EXPECT_EQ(first->counters().of(TunCount::OffloadsGivenUp), 1u);
    EXPECT_EQ(first->read_batch(batch), TunDevice::State::Failed);
    EXPECT_EQ(first->counters().of(TunCount::OffloadsGivenUp), 1u);
    EXPECT_TRUE(first->write_offloads().udp);

    first.reset();  // What it was to read comes to the other queue.
    batch.clear();
    const std::uint64_t before = second.counters().of(TunCount::SuperPacketsRead);
    send();
    second.read_batch(batch);
    EXPECT_EQ(batch.size(), 20u);
    EXPECT_EQ(second.counters().of(TunCount::SuperPacketsRead), before);
  });
}

TEST(TunDevice, DoesWithoutTheOffloadsThatAKernelDoesNotKnow) {
  struct Row {
    const char* name;
    std::uint32_t unknown;  // Bits of the set that TUNSETOFFLOAD takes.
    bool tcp;
    bool udp;
  };
  constexpr Row kRows[] = {
      {"everything is known", 0x80, true, true},
      {"before USO", 0x20 | 0x40, true, false},
      {"before TSO", 0x20 | 0x40 | 0x02, false, false},
      {"before everything", 0xff, false, false},
  };
  for (const Row& row : kRows) {
    SCOPED_TRACE(row.name);
    in_own_namespace([&] {
      refuse(SYS_ioctl, {{1, BPF_JEQ, TUNSETOFFLOAD}, {2, BPF_JSET, row.unknown}});
      const auto device = TunDevice::open({});
      ASSERT_TRUE(device);
      for (const auto& kinds : {(*device)->read_offloads(), (*device)->write_offloads()}) {
        EXPECT_EQ(kinds.tcp_v4, row.tcp);
        EXPECT_EQ(kinds.tcp_v6, row.tcp);
        EXPECT_EQ(kinds.udp, row.udp);
      }
    });
  }
}

TEST(TunDevice, DoesWithoutTheHeaderThatAKernelDoesNotKnow) {
  in_own_namespace([&] {
    refuse(SYS_ioctl, {{1, BPF_JEQ, TUNGETFEATURES}}, 0);  // "None at all".
    const auto device = make_tun({}, 1);
    ASSERT_TRUE(device);
    EXPECT_FALSE(device->has_virtio_header());
    EXPECT_FALSE(device->read_offloads().tcp_v4 || device->write_offloads().udp);
    const Fd watcher = watcher_of(*device);
    std::vector<Bytes> packets = neighbours_of_one_flow(false, false, 0);
    std::vector<ByteSpan> spans(packets.begin(), packets.end());
    EXPECT_EQ(device->write(spans), TunDevice::State::Drained);
    for (const Bytes& packet : packets) EXPECT_EQ(next_taken(watcher), packet);
  });
}

TEST(TunDevice, TakesTheNameThatItIsGivenOrMakesOne) {
  in_own_namespace([&] {
    const auto named = TunDevice::open({.name = "fifteen-letters"});
    ASSERT_TRUE(named);
    EXPECT_EQ((*named)->name(), "fifteen-letters");
    const auto numbered = TunDevice::open({.name = "tt%d"});
    ASSERT_TRUE(numbered);
    EXPECT_EQ((*numbered)->name(), "tt0");
    for (const char* name : {"", "sixteen-letters-"}) {
      const auto refused = TunDevice::open({.name = name});
      ASSERT_FALSE(refused);
      EXPECT_EQ(refused.error().code, ErrorCode::InvalidArgument);
      EXPECT_NE(refused.error().message.find("use 1 to 15"), std::string::npos);
    }
  });
}

TEST(TunDevice, SaysThatANameIsNoneRatherThanTaken) {
  in_own_namespace([&] {
    for (const char* name : {".", "..", "a/b", "a:b", "a b", "a\tb", "%s", "%", "a%d%d"}) {
      SCOPED_TRACE(name);
      const auto refused = TunDevice::open({.name = name});
      ASSERT_FALSE(refused);
      EXPECT_EQ(refused.error().code, ErrorCode::InvalidArgument);
      EXPECT_NE(refused.error().message.find("not one that the kernel takes"), std::string::npos);
    }
    const auto odd = TunDevice::open({.name = "..a-_%d"});
    ASSERT_TRUE(odd);
    EXPECT_EQ((*odd)->name(), "..a-_0");
  });
}

TEST(TunDevice, SaysWhoElseHoldsTheInterface) {
  in_own_namespace([&] {
    const auto first = TunDevice::open({.name = "held"});
    const auto second = TunDevice::open({.name = "held"});
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, ErrorCode::Conflict);
    EXPECT_NE(second.error().message.find("held"), std::string::npos);
    EXPECT_NE(second.error().message.find("choose another name"), std::string::npos);
    const auto shared = TunDevice::open({.name = "shared", .multi_queue = true});
    const auto another = TunDevice::open({.name = "shared", .multi_queue = true});
    ASSERT_FALSE(another);
    EXPECT_EQ(another.error().code, ErrorCode::Conflict);
    EXPECT_NE(another.error().message.find("choose another name"), std::string::npos);
    const auto loopback = TunDevice::open({.name = "lo"});
    ASSERT_FALSE(loopback);
    EXPECT_EQ(loopback.error().code, ErrorCode::InvalidArgument);
  });
}

TEST(TunDevice, AttachesToAnInterfaceThatNobodyHolds) {
  in_own_namespace([&] {
    for (const bool multi_queue : {false, true}) {
      run(fmt::format("ip tuntap add mode tun vnet_hdr {} name kept",
                      multi_queue ? "multi_queue" : ""));
      {
        const TunOptions options{.name = "kept", .multi_queue = multi_queue};
        const auto first = TunDevice::open(options);
        ASSERT_TRUE(first) << first.error().message;
        EXPECT_FALSE(TunDevice::open(options));
      }
      run("ip link del kept");
    }
  });
}

TEST(TunDevice, OpensMoreQueuesOfOneInterface) {
  in_own_namespace([&] {
    const auto first = TunDevice::open({.name = "many", .multi_queue = true});
    ASSERT_TRUE(first) << first.error().message;
    const auto second = (*first)->open_queue();
    ASSERT_TRUE(second) << second.error().message;
    EXPECT_EQ((*second)->name(), "many");
    EXPECT_TRUE((*second)->read_offloads().tcp_v4);
    configure("many", 1);
    Bytes packet = build({.udp = true, .network = 9, .source = 2, .destination = 1});
    const std::array<ByteSpan, 1> packets{packet};
    for (const auto& queue : {&*first, &*second}) {
      (*queue)->write(packets);
      EXPECT_EQ((*queue)->counters().of(TunCount::PacketsWritten), 1u);
    }
  });
}

TEST(TunDevice, AdoptsADescriptorAsItIs) {
  in_own_namespace([&] {
    auto opened = TunDevice::open({.name = "given", .virtio_header = false});
    ASSERT_TRUE(opened);
    const auto adopted = TunDevice::adopt(Fd(::dup((*opened)->fd())), {.name = "ignored"});
    ASSERT_TRUE(adopted) << adopted.error().message;
    EXPECT_EQ((*adopted)->name(), "given");
    EXPECT_FALSE((*adopted)->has_virtio_header());
    EXPECT_FALSE((*adopted)->read_offloads().tcp_v4);

    const auto refused = TunDevice::adopt(Fd(::dup(0)), {});
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().message.find("attached to a TUN interface"), std::string::npos);
  });
}

TEST(TunCounters, HaveNamesOfTheirOwn) {
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < static_cast<std::size_t>(TunCount::kCount); ++i) {
    names.insert(name_of(static_cast<TunCount>(i)));
  }
  EXPECT_EQ(names.size(), static_cast<std::size_t>(TunCount::kCount));
  EXPECT_TRUE(is_drop(TunCount::WriteRefused));
  EXPECT_FALSE(is_drop(TunCount::OffloadsGivenUp));
}

}  // namespace
}  // namespace ginnel::os

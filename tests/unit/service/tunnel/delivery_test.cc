// Needs root. Whatever is switched off, whatever library encrypts, and whatever the kernel refuses
// or the network does, bytes arrive as they were sent: two tunnels of this process, each in a
// namespace of its own, TCP and UDP in both families.
//
// GINNEL_SOAK=1 tries every combination over both families, with 2,000 random sizes each; otherwise
// each switch once.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <netinet/udp.h>
#include <poll.h>

#include <atomic>
#include <cstdlib>
#include <map>
#include <set>
#include <thread>

#include "two_ends.h"
#include "unit/net/packet_builder.h"

namespace ginnel::tunnel {
namespace {

using net::testing::Bytes;
using net::testing::random_bytes;

constexpr std::size_t kBurstBytes = 128 << 10;  // What every buffer on the way holds.
constexpr std::size_t kBurstDatagrams = 24;

bool soaking() { return std::getenv("GINNEL_SOAK") != nullptr; }
int random_sizes() { return soaking() ? 2000 : 60; }

// The real system calls, of which some fail and some are not carried out.
class UnkindUdpSystem final : public os::UdpSystem {
 public:
  int refuse_joined = 0;  // The error of every third joined send; 0: none.
  bool loses = false;     // Every fiftieth message goes nowhere.
  bool reorders = false;  // Messages of one call go out backwards.

  int send_messages(int fd, mmsghdr* messages, unsigned count) override {
    if (refuse_joined != 0 && is_joined(messages[0].msg_hdr) && ++joined_ % 3 == 0) {
      return -refuse_joined;
    }
    if (!loses && !reorders) return real_.send_messages(fd, messages, count);
    if (count > 1) reordered_ += reorders ? 1 : 0;
    for (unsigned i = 0; i < count; ++i) {
      if (loses && ++sent_ % 50 == 0) {
        ++lost_;
        continue;
      }
      const int taken = real_.send_messages(fd, &messages[reorders ? count - 1 - i : i], 1);
      if (taken < 0) return i == 0 ? taken : static_cast<int>(i);
    }
    return static_cast<int>(count);
  }
  int receive_messages(int fd, mmsghdr* messages, unsigned count) override {
    return real_.receive_messages(fd, messages, count);
  }
  unsigned mtu_of(const Route& route) override { return real_.mtu_of(route); }

  // Since it was last asked.
  unsigned take_lost() { return lost_.exchange(0); }
  unsigned take_reordered() { return reordered_.exchange(0); }

 private:
  static bool is_joined(msghdr header) {
    for (cmsghdr* c = CMSG_FIRSTHDR(&header); c != nullptr; c = CMSG_NXTHDR(&header, c)) {
      if (c->cmsg_level == SOL_UDP && c->cmsg_type == UDP_SEGMENT) return true;
    }
    return false;
  }

  os::LinuxUdpSystem real_;
  std::atomic<unsigned> joined_{0};
  std::atomic<unsigned> sent_{0};
  std::atomic<unsigned> lost_{0};
  std::atomic<unsigned> reordered_{0};  // Calls.
};

// Every length at which something changes on the way.
std::vector<std::size_t> boundary_sizes(bool v6) {
  const std::size_t full = kMtu - (v6 ? 48 : 28);
  std::vector<std::size_t> sizes{0, 1, 2, 15, 16, 17, 31, 32, 33, 1000};
  for (const std::size_t packets : {1, 2, 3, 44, 45, 46}) {
    for (const std::size_t off : {0, 1, 2}) sizes.push_back(packets * full + off - 1);
  }
  sizes.push_back(65507);
  if (v6) sizes.push_back(65527);
  return sizes;
}

std::vector<std::size_t> sizes_of(bool v6, std::mt19937& random) {
  std::vector<std::size_t> sizes = boundary_sizes(v6);
  for (int i = 0; i < random_sizes(); ++i) {
    // Mostly packets, some that have to be fragmented.
    sizes.push_back(random() % (i % 10 == 0 ? 20000 : 1373));
  }
  return sizes;
}

void expect_datagrams(const os::Fd& server, const std::vector<Bytes>& sent) {
  Bytes got(1 << 16);
  for (const Bytes& one : sent) {
    const ssize_t size = recv(server.get(), got.data(), got.size(), 0);
    ASSERT_EQ(size, static_cast<ssize_t>(one.size()));
    ASSERT_TRUE(std::equal(one.begin(), one.end(), got.begin()));
  }
}

// In bursts that fit every buffer: then nothing may be lost, and order is kept. What has to be
// fragmented goes alone, because the kernel hands fragments, which have no ports, to a queue of
// their own.
void carry_datagrams(Ends& ends, bool v6, std::mt19937& random) {
  const os::Fd server = ends.open(v6, SOCK_DGRAM, 2, 7000);
  const os::Fd client = ends.open(v6, SOCK_DGRAM, 1, 0);
  SocketAddress to = inner(v6, 2, 7000);
  std::vector<Bytes> burst;
  std::size_t bytes = 0;
  for (const std::size_t size : sizes_of(v6, random)) {
    const bool fragmented = size > kMtu - (v6 ? 48 : 28);
    if (fragmented || bytes + size > kBurstBytes || burst.size() == kBurstDatagrams) {
      ASSERT_NO_FATAL_FAILURE(expect_datagrams(server, burst));
      burst.clear(), bytes = 0;
    }
    burst.push_back(random_bytes(random, size));
    bytes += size;
    ASSERT_EQ(sendto(client.get(), burst.back().data(), size, 0, to.get(), to.size),
              static_cast<ssize_t>(size));
    if (fragmented) bytes = kBurstBytes;  // Ends the burst.
  }
  expect_datagrams(server, burst);
}

// Datagrams that the sending kernel hands to the tunnel as one super-packet.
void carry_joined_datagrams(Ends& ends, bool v6, std::mt19937& random) {
  const std::size_t full = kMtu - (v6 ? 48 : 28);
  const os::Fd server = ends.open(v6, SOCK_DGRAM, 2, 7000);
  const os::Fd client = ends.open(v6, SOCK_DGRAM, 1, 0);
  SocketAddress to = inner(v6, 2, 7000);
  for (const std::size_t segment : {std::size_t{1}, std::size_t{100}, full - 1, full}) {
    const int option = static_cast<int>(segment);
    ASSERT_EQ(setsockopt(client.get(), IPPROTO_UDP, UDP_SEGMENT, &option, sizeof option), 0);
    for (const std::size_t count : {1, 2, 3, 44, 45}) {
      for (const std::size_t off : {0, 1, 2}) {
        const Bytes sent = random_bytes(random, count * segment + off - 1);
        if (sent.empty()) continue;
        ASSERT_EQ(sendto(client.get(), sent.data(), sent.size(), 0, to.get(), to.size),
                  static_cast<ssize_t>(sent.size()));
        std::vector<Bytes> pieces;
        for (std::size_t at = 0; at < sent.size(); at += segment) {
          const auto from = sent.begin() + static_cast<std::ptrdiff_t>(at);
          pieces.emplace_back(
              from, from + static_cast<std::ptrdiff_t>(std::min(segment, sent.size() - at)));
        }
        SCOPED_TRACE(fmt::format("{} bytes in segments of {}", sent.size(), segment));
        ASSERT_NO_FATAL_FAILURE(expect_datagrams(server, pieces));
      }
    }
  }
}

void receive_stream(const os::Fd& listener, const Bytes& wanted) {
  const os::Fd server(accept(listener.get(), nullptr, nullptr));
  ASSERT_TRUE(server);
  Bytes got(wanted.size());
  std::size_t at = 0;
  while (at < got.size()) {
    const ssize_t size = recv(server.get(), &got[at], got.size() - at, 0);
    ASSERT_GT(size, 0) << "after " << at << " bytes";
    at += static_cast<std::size_t>(size);
  }
  EXPECT_EQ(got, wanted);
}

void carry_stream(Ends& ends, bool v6, std::mt19937& random) {
  const os::Fd listener = ends.open(v6, SOCK_STREAM, 2, 7000);
  ASSERT_EQ(listen(listener.get(), 1), 0);
  const os::Fd client = ends.open(v6, SOCK_STREAM, 1, 0);
  SocketAddress to = inner(v6, 2, 7000);
  const Bytes sent = random_bytes(random, soaking() ? 8'000'003 : 1'500'003);
  std::jthread receiver([&] { receive_stream(listener, sent); });
  ASSERT_EQ(connect(client.get(), to.get(), to.size), 0);
  std::vector<std::size_t> sizes = boundary_sizes(v6);
  for (std::size_t at = 0, next = 0; at < sent.size(); ++next) {
    const std::size_t size = next < sizes.size() ? sizes[next] : 1 + random() % 100'000;
    const ssize_t taken =
        send(client.get(), &sent[at], std::min(size, sent.size() - at), MSG_NOSIGNAL);
    ASSERT_GE(taken, 0);
    at += static_cast<std::size_t>(taken);
  }
}

// Datagrams that say which they are, of which the network may lose some and change the order.
class NumberedDatagrams {
 public:
  NumberedDatagrams(Ends& ends, bool v6)
      : server_(ends.open(v6, SOCK_DGRAM, 2, 7000)),
        client_(ends.open(v6, SOCK_DGRAM, 1, 0)),
        to_(inner(v6, 2, 7000)) {}

  void send(std::size_t size, std::mt19937& random) {
    Bytes bytes = random_bytes(random, std::max(size, kWordSize + 1));
    std::memcpy(bytes.data(), &sent_, sizeof sent_);
    transmit(bytes);
    on_their_way_.emplace(sent_++, std::move(bytes));
  }

  // Looks at what arrives until a word does that is said over and over, because it may be lost too.
  void catch_up() {
    const Bytes word = {1, 2, static_cast<std::uint8_t>(++words_)};
    pollfd arrival{server_.get(), POLLIN, 0};
    for (int silences = 0; silences < 2000;) {
      if (poll(&arrival, 1, 10) == 0) {
        transmit(word);
        ++silences;
        continue;
      }
      Bytes got(1 << 16);
      got.resize(static_cast<std::size_t>(recv(server_.get(), got.data(), got.size(), 0)));
      if (got == word) return;
      if (got.size() == kWordSize) continue;  // One of those before.
      ASSERT_NO_FATAL_FAILURE(judge(got));
    }
    FAIL() << "nothing arrives";
  }

  unsigned sent() const { return sent_; }
  std::size_t arrived() const { return sent_ - on_their_way_.size(); }

 private:
  static constexpr std::size_t kWordSize = 3;

  void transmit(const Bytes& bytes) {
    ASSERT_EQ(sendto(client_.get(), bytes.data(), bytes.size(), 0, to_.get(), to_.size),
              static_cast<ssize_t>(bytes.size()));
  }
  void judge(const Bytes& got) {
    ASSERT_GT(got.size(), kWordSize);
    unsigned number = 0;
    std::memcpy(&number, got.data(), sizeof number);
    const auto found = on_their_way_.find(number);
    ASSERT_NE(found, on_their_way_.end()) << number << " never left, or arrived twice";
    ASSERT_EQ(got, found->second);
    on_their_way_.erase(found);
  }

  os::Fd server_, client_;
  SocketAddress to_;
  unsigned sent_ = 0;
  unsigned words_ = 0;
  std::map<unsigned, Bytes> on_their_way_;
};

// Each of them at most once and as it was sent, and most of them.
void carry_numbered_datagrams(Ends& ends, bool v6, std::mt19937& random) {
  NumberedDatagrams datagrams(ends, v6);
  for (const std::size_t size : sizes_of(v6, random)) {
    ASSERT_NO_FATAL_FAILURE(datagrams.send(size, random));
    if (datagrams.sent() % kBurstDatagrams != 0) continue;
    ASSERT_NO_FATAL_FAILURE(datagrams.catch_up());
  }
  ASSERT_NO_FATAL_FAILURE(datagrams.catch_up());
  EXPECT_GT(datagrams.arrived(), datagrams.sent() / 2);
}

void carry_everything(Ends& ends, const TunnelOptions& options,
                      net::Family outside = net::Family::V4) {
  std::mt19937 random(1);
  ASSERT_NO_FATAL_FAILURE(ends.start(options, outside));
  for (const bool v6 : {false, true}) {
    SCOPED_TRACE(v6 ? "IPv6" : "IPv4");
    ASSERT_NO_FATAL_FAILURE(carry_datagrams(ends, v6, random));
    ASSERT_NO_FATAL_FAILURE(carry_joined_datagrams(ends, v6, random));
    ASSERT_NO_FATAL_FAILURE(carry_stream(ends, v6, random));
  }
  ends.stop();
}

// Bit by bit: TSO4, TSO6, USO, GSO and GRO of the outer family.
constexpr unsigned kSwitches = 5;

TunnelOptions with_switches_off(unsigned off) {
  const auto on = [&](unsigned bit) { return (off >> bit & 1) == 0; };
  return {.workers = 2,
          .path = {.tun_offloads = {.tcp_v4 = on(0), .tcp_v6 = on(1), .udp = on(2)},
                   .udp_gso = on(3),
                   .udp_gro = on(4)}};
}

// Nothing, everything, and each of `bits`; while soaking, every set of switches.
std::set<unsigned> switches_to_try(std::initializer_list<unsigned> bits) {
  std::set<unsigned> combinations{0, (1u << kSwitches) - 1};
  for (const unsigned bit : bits) combinations.insert(1u << bit);
  if (soaking()) {
    for (unsigned off = 0; off < 1u << kSwitches; ++off) combinations.insert(off);
  }
  return combinations;
}

TEST(Delivery, IsExactWithEachOffloadOnAndOff) {
  Ends ends;
  for (const unsigned off : switches_to_try({0, 1, 2, 3, 4})) {
    SCOPED_TRACE(fmt::format("switched off: {:05b}", off));
    ASSERT_NO_FATAL_FAILURE(carry_everything(ends, with_switches_off(off)));
  }
}

TEST(Delivery, IsExactOverIpv6) {
  Ends ends;
  for (const unsigned off : switches_to_try({3, 4})) {
    SCOPED_TRACE(fmt::format("switched off: {:05b}", off));
    ASSERT_NO_FATAL_FAILURE(carry_everything(ends, with_switches_off(off), net::Family::V6));
  }
}

TEST(Delivery, IsExactWithEveryLibrary) {
  Ends ends;
  for (const auto library : {crypto::AeadLibrary::OpenSsl, crypto::AeadLibrary::IpsecMb,
                             crypto::AeadLibrary::IpsecMbAvx2, crypto::AeadLibrary::IpsecMbSse}) {
    if (!crypto::make_aead_batch(library)) continue;
    for (const unsigned off : switches_to_try({})) {
      SCOPED_TRACE(fmt::format("library {}, off {:05b}", static_cast<int>(library), off));
      TunnelOptions options = with_switches_off(off);
      options.path.aead = library;
      ASSERT_NO_FATAL_FAILURE(carry_everything(ends, options));
    }
  }
}

TEST(Delivery, IsExactWhenTheKernelRefusesJoinedSends) {
  for (const int error : {EINVAL, EMSGSIZE, EIO}) {
    SCOPED_TRACE(error);
    UnkindUdpSystem unkind;
    unkind.refuse_joined = error;
    Ends ends;
    TunnelOptions options = with_switches_off(0);
    options.udp_system = &unkind;
    ASSERT_NO_FATAL_FAILURE(carry_everything(ends, options));
  }
}

void carry_unkindly(Ends& ends, unsigned off, net::Family outside) {
  UnkindUdpSystem unkind;
  unkind.loses = unkind.reorders = true;
  TunnelOptions options = with_switches_off(off);
  options.udp_system = &unkind;
  ASSERT_NO_FATAL_FAILURE(ends.start(options, outside));
  std::mt19937 random(2);
  for (const bool v6 : {false, true}) {
    SCOPED_TRACE(v6 ? "IPv6" : "IPv4");
    ASSERT_NO_FATAL_FAILURE(carry_stream(ends, v6, random));
    ASSERT_NO_FATAL_FAILURE(carry_numbered_datagrams(ends, v6, random));
    EXPECT_GT(unkind.take_lost(), 0u);
    EXPECT_GT(unkind.take_reordered(), 0u);
  }
  ends.stop();
}

TEST(Delivery, IsExactUnderLossAndReordering) {
  Ends ends;
  for (const auto outside : {net::Family::V4, net::Family::V6}) {
    for (const unsigned off : switches_to_try({})) {
      SCOPED_TRACE(
          fmt::format("switched off: {:05b}, outside v4 {}", off, outside == net::Family::V4));
      ASSERT_NO_FATAL_FAILURE(carry_unkindly(ends, off, outside));
    }
  }
}

}  // namespace
}  // namespace ginnel::tunnel

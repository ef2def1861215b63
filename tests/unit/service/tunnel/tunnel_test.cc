// These tests need root: each runs in a network namespace of its own, with real interfaces.
#include "service/tunnel/tunnel.h"

#include <gtest/gtest.h>

#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/resource.h>

#include <latch>

#include "unit/os/test_network.h"

namespace ginnel::tunnel {
namespace {

// Waits for the end of a tunnel that ends by itself.
void await_end(const Tunnel& tunnel) {
  auto poller = os::Poller::create();
  ASSERT_TRUE(poller);
  ASSERT_TRUE(poller->add(tunnel.ended_fd(), 1, os::Interest::Read));
  EXPECT_FALSE(poller->wait_until(os::Clock().mono() + 20s).empty());
}

std::uint64_t counter(Tunnel& tunnel, std::string_view name) {
  const auto status = tunnel.observe();
  for (const wg::NamedCounter& one : status->counters) {
    if (one.name == name) return one.value;
  }
  return 0;
}

wg::DeviceChange with_port(std::uint16_t port) {
  wg::DeviceChange change;
  change.listen_port = port;
  return change;
}

class TunnelTest : public testing::Test {
 protected:
  static std::unique_ptr<Tunnel> started(TunnelOptions options = {}) {
    auto tunnel = Tunnel::start(std::move(options));
    EXPECT_TRUE(tunnel) << tunnel.error().message;
    return tunnel ? std::move(*tunnel) : nullptr;
  }

  os::Namespace space_;
  os::Namespace::Inside inside_{space_};
};

TEST_F(TunnelTest, AnswersWithAnErrorOnceItsInterfaceIsGone) {
  const auto tunnel = started({.interface = "gone7", .workers = 2});
  ASSERT_TRUE(tunnel);
  EXPECT_TRUE(tunnel->observe());
  os::Namespace::shell("ip link del gone7");
  await_end(*tunnel);

  const Status configured = tunnel->configure(with_port(4000));
  const auto observed = tunnel->observe();
  ASSERT_FALSE(configured);
  EXPECT_EQ(configured.error().code, ErrorCode::Unavailable);
  EXPECT_NE(configured.error().message.find("gone7"), std::string::npos);
  EXPECT_FALSE(observed);
}

TEST_F(TunnelTest, AnswersEveryCallerWhoComesWhileItEnds) {
  const auto tunnel = started({.interface = "gone8"});
  ASSERT_TRUE(tunnel);
  std::latch begun(4);
  std::vector<std::jthread> callers;
  for (int i = 0; i < 4; ++i) {
    callers.emplace_back([&] {
      begun.count_down();
      while (tunnel->observe()) {
      }
    });
  }
  begun.wait();
  os::Namespace::shell("ip link del gone8");
  await_end(*tunnel);
  callers.clear();  // Joins: nobody waits for ever.
}

TEST_F(TunnelTest, KeepsItsPortWhenAnotherIsTaken) {
  const auto first = started(), second = started();
  ASSERT_TRUE(first && second);
  ASSERT_TRUE(first->configure(with_port(4000)));
  const std::uint16_t before = second->observe()->listen_port;

  const Status taken = second->configure(with_port(4000));
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().code, ErrorCode::AlreadyExists);
  EXPECT_EQ(second->observe()->listen_port, before);
  EXPECT_EQ(first->observe()->listen_port, 4000);
}

TEST_F(TunnelTest, TakesAPortAgainThatItJustGaveUp) {
  const auto tunnel = started({.workers = 4});
  ASSERT_TRUE(tunnel);
  for (int i = 0; i < 200; ++i) {
    const Status done = tunnel->configure(with_port(i % 2 == 0 ? 4000 : 4001));
    ASSERT_TRUE(done) << i << ": " << done.error().message;
  }
}

TEST_F(TunnelTest, KeepsAPortThatWasChosenWhenAnyWillDo) {
  const auto tunnel = started();
  ASSERT_TRUE(tunnel);
  const std::uint16_t chosen = tunnel->observe()->listen_port;
  EXPECT_NE(chosen, 0);
  ASSERT_TRUE(tunnel->configure(with_port(0)));
  EXPECT_EQ(tunnel->observe()->listen_port, chosen);
}

TEST_F(TunnelTest, StillCountsWhatSocketsSentThatAChangeOfPortClosed) {
  const auto tunnel = started({.interface = "counts", .workers = 2});
  ASSERT_TRUE(tunnel);
  os::SystemRng rng;
  wg::DeviceChange change;
  change.private_key = crypto::PrivateKey::generate(rng);
  wg::PeerChange peer{.public_key = crypto::PrivateKey::generate(rng).public_key()};
  peer.endpoint = net::Endpoint{net::Address::v4({127, 0, 0, 1}), 9};
  peer.persistent_keepalive_seconds = 25;
  change.peers.push_back(std::move(peer));
  ASSERT_TRUE(tunnel->configure(std::move(change)));
  os::Namespace::shell("ip link set counts up");
  const MonoTime end = os::Clock().mono() + 20s;
  while (counter(*tunnel, "udp_datagrams_sent") == 0 && os::Clock().mono() < end) {
  }

  std::uint64_t sent = counter(*tunnel, "udp_datagrams_sent");
  EXPECT_GE(sent, 1);
  for (std::uint16_t port = 4000; port < 4004; ++port) {
    ASSERT_TRUE(tunnel->configure(with_port(port)));
    EXPECT_GE(counter(*tunnel, "udp_datagrams_sent"), sent) << port;
    sent = counter(*tunnel, "udp_datagrams_sent");
  }
}

// As a server calls its clients back: who has just taken the interface up may speak at once.
TEST_F(TunnelTest, SpeaksAtOnceWhenAChangeFollowsItsInterfaceGoingUp) {
  const auto tunnel = started({.interface = "follows"});
  ASSERT_TRUE(tunnel);
  os::SystemRng rng;
  wg::DeviceChange key;
  key.private_key = crypto::PrivateKey::generate(rng);
  ASSERT_TRUE(tunnel->configure(std::move(key)));
  const os::Fd asking(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq link{.ifr_ifrn = {.ifrn_name = "follows"}, .ifr_ifru = {}};
  for (int i = 0; i < 100; ++i) {
    link.ifr_flags = 0;
    ASSERT_EQ(ioctl(asking.get(), SIOCSIFFLAGS, &link), 0);
    const std::uint64_t sent = counter(*tunnel, "udp_datagrams_sent");
    wg::DeviceChange call;
    const auto peer = crypto::PrivateKey::generate(rng).public_key();
    for (const std::uint16_t seconds : {std::uint16_t{1}, std::uint16_t{0}}) {
      wg::PeerChange& change = call.peers.emplace_back();
      change.public_key = peer;
      change.endpoint = net::Endpoint{net::Address::v4({127, 0, 0, 1}), 9};
      change.persistent_keepalive_seconds = seconds;
    }
    link.ifr_flags = IFF_UP;
    ASSERT_EQ(ioctl(asking.get(), SIOCSIFFLAGS, &link), 0);
    ASSERT_TRUE(tunnel->configure(std::move(call)));
    ASSERT_GT(counter(*tunnel, "udp_datagrams_sent"), sent) << i;
  }
}

TEST_F(TunnelTest, FailsWithoutATraceWhereverItRunsOutOfDescriptors) {
  for (rlim_t descriptors = 8; descriptors < 64; ++descriptors) {
    rlimit limit{};
    getrlimit(RLIMIT_NOFILE, &limit);
    rlimit scarce = limit;
    scarce.rlim_cur = descriptors;
    setrlimit(RLIMIT_NOFILE, &scarce);
    auto tunnel = Tunnel::start({.interface = "scarce", .workers = 2});
    setrlimit(RLIMIT_NOFILE, &limit);
    if (!tunnel) {
      EXPECT_EQ(tunnel.error().code, ErrorCode::Exhausted) << tunnel.error().message;
    } else {
      tunnel->reset();
    }
    os::Namespace::shell("! ip link show scarce 2>/dev/null");
  }
}

}  // namespace
}  // namespace ginnel::tunnel

// These tests need root: each runs in a network namespace of its own.
#include "service/tunnel/tunnel_worker.h"

#include <errno.h>
#include <gtest/gtest.h>
#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

#include <thread>

#include "os/system_rng.h"
#include "unit/os/test_network.h"

namespace ginnel::tunnel {
namespace {

// Sockets that cannot be read for a while, though there is something to read.
class SickSystem final : public os::UdpSystem {
 public:
  explicit SickSystem(int failures) : failures_(failures) {}

  int send_messages(int fd, mmsghdr* messages, unsigned count) override {
    return real_.send_messages(fd, messages, count);
  }
  int receive_messages(int fd, mmsghdr* messages, unsigned count) override {
    if (failures_ == 0) return real_.receive_messages(fd, messages, count);
    --failures_;
    return -ENOMEM;
  }
  unsigned mtu_of(const Route& route) override { return real_.mtu_of(route); }

 private:
  os::LinuxUdpSystem real_;
  int failures_;
};

// The real system calls, and how many messages each read asked for at most.
class CountingSystem final : public os::UdpSystem {
 public:
  int send_messages(int fd, mmsghdr* messages, unsigned count) override {
    return real_.send_messages(fd, messages, count);
  }
  int receive_messages(int fd, mmsghdr* messages, unsigned count) override {
    const int received = real_.receive_messages(fd, messages, count);
    if (received > 0) asked_ = count;
    return received;
  }
  unsigned mtu_of(const Route& route) override { return real_.mtu_of(route); }

  unsigned asked() const { return asked_; }  // By the last read that brought something.

 private:
  os::LinuxUdpSystem real_;
  std::atomic<unsigned> asked_{0};
};

class TunnelWorkerTest : public testing::Test {
 protected:
  TunnelWorkerTest() {
    auto device = os::TunDevice::open({.name = "worker%d"});
    EXPECT_TRUE(device) << device.error().message;
    auto made = TunnelWorker::create(tables_, 0, std::move(*device),
                                     crypto::make_aead_batch(crypto::AeadLibrary::Automatic),
                                     wake_control_);
    EXPECT_TRUE(made) << made.error().message;
    worker_ = std::move(*made);
  }
  ~TunnelWorkerTest() override {
    thread_.request_stop();
    worker_->wake();
  }

  void start() {
    thread_ = std::jthread([this](const std::stop_token& stop) { worker_->run(stop); });
  }
  static void wait_until(const std::function<bool()>& condition) {
    const MonoTime limit = os::Clock().mono() + 20s;
    while (!condition() && os::Clock().mono() < limit) std::this_thread::yield();
    EXPECT_TRUE(condition());
  }

  os::Namespace space_;
  os::Namespace::Inside inside_{space_};
  os::SystemRng rng_;
  wg::SharedTables tables_{rng_, 1};
  os::EventFd wake_control_ = os::EventFd::create().value();
  std::unique_ptr<TunnelWorker> worker_;
  std::jthread thread_;
};

TEST_F(TunnelWorkerTest, ComesBeforeThePrograms) {
  std::atomic<pid_t> thread{0};
  thread_ = std::jthread([&](const std::stop_token& stop) {
    thread = gettid();
    worker_->run(stop);
  });
  const auto nice = [&] {
    return thread == 0 ? 0 : getpriority(PRIO_PROCESS, static_cast<id_t>(thread.load()));
  };
  wait_until([&] { return nice() == TunnelWorker::kLightNice; });
  wait_until([&] {
    worker_->wake();  // Over and over, which makes much to do.
    return nice() == TunnelWorker::kNice;
  });
  MonoTime woken{};
  wait_until([&] {
    const MonoTime now = os::Clock().mono();
    if (now - woken >= 2 * LoadWindow::kLength) {
      worker_->wake();
      woken = now;
    }
    return nice() == TunnelWorker::kLightNice;
  });
}

TEST_F(TunnelWorkerTest, SleepsWhenNothingComes) {
  start();
  clockid_t clock{};
  ASSERT_EQ(pthread_getcpuclockid(thread_.native_handle(), &clock), 0);
  const auto used = [&] {
    timespec time{};
    clock_gettime(clock, &time);
    return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
  };
  worker_->wake();
  const Duration before = used();
  const MonoTime end = os::Clock().mono() + 300ms;
  wait_until([&] { return os::Clock().mono() >= end; });
  EXPECT_LT(used() - before, 100ms);
}

TEST_F(TunnelWorkerTest, TriesASocketThatCannotBeReadAgainAfterPauses) {
  constexpr int kFailures = 6;
  SickSystem system(kFailures);
  auto pairs = os::UdpPair::bind({.socket = {.system = &system}});
  ASSERT_TRUE(pairs) << pairs.error().message;
  const std::uint16_t port = pairs->front().port();
  const auto counters = pairs->front().v4()->share_counters();
  worker_->give_sockets(std::move(*pairs));
  const MonoTime begun = os::Clock().mono();
  start();

  auto sender = os::UdpSocket::bind({});
  ASSERT_TRUE(sender);
  std::uint8_t hello[] = {9, 9, 9, 9};
  const net::PathAddress path{.remote = {net::Address::parse("127.0.0.1").value(), port, 0}};
  const net::Datagram datagram{.bytes = hello, .path = &path};
  (*sender)->send({&datagram, 1});

  wait_until([&] { return counters->of(os::UdpCount::DatagramsReceived) == 1; });
  EXPECT_EQ(counters->of(os::UdpCount::ReceiveFailed), kFailures);
  // The pauses double: 1 + 2 + 4 + ... ms.
  EXPECT_GE(os::Clock().mono() - begun, RetryPause::kFirst * ((1 << kFailures) - 1));

  // Healthy from here on.
  (*sender)->send({&datagram, 1});
  wait_until([&] { return counters->of(os::UdpCount::DatagramsReceived) == 2; });
  EXPECT_FALSE(worker_->interface_gone());
}

TEST_F(TunnelWorkerTest, ReadsLittleAtATimeOfASocketWithLargeMessages) {
  CountingSystem system;
  TunnelWorker::Sockets sockets;
  std::array<std::uint16_t, 2> ports;
  std::array<std::shared_ptr<const os::UdpCounters>, 2> counters;
  for (std::size_t i = 0; i < 2; ++i) {
    auto pairs = os::UdpPair::bind({.socket = {.system = &system}});
    ASSERT_TRUE(pairs) << pairs.error().message;
    ports[i] = pairs->front().port();
    counters[i] = pairs->front().v4()->share_counters();
    sockets.push_back(std::move(pairs->front()));
  }
  worker_->give_sockets(std::move(sockets));
  start();

  auto sender = os::UdpSocket::bind({});
  ASSERT_TRUE(sender);
  std::vector<std::uint8_t> bytes(60'000, 9);
  std::uint64_t sent[2] = {0, 0};
  // Datagrams of 1,000 bytes, which stay joined on their way over the loopback device.
  const auto send = [&](std::size_t to, std::size_t count) {
    const net::PathAddress path{.remote = {net::Address::parse("127.0.0.1").value(), ports[to], 0}};
    std::vector<net::Datagram> datagrams;
    datagrams.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
      datagrams.push_back({.bytes = ByteSpan(bytes).subspan(i * 1000, 1000), .path = &path});
    }
    (*sender)->send(datagrams);
    sent[to] += count;
    wait_until([&] { return counters[to]->of(os::UdpCount::DatagramsReceived) == sent[to]; });
  };
  send(0, 60);
  EXPECT_EQ(system.asked(), os::ReceiveBatch::kMaxMessages);  // Nothing is known of it yet.
  send(1, 1);
  send(1, 1);
  EXPECT_EQ(system.asked(), os::ReceiveBatch::kMaxMessages);  // Small messages are quick.
  send(0, 60);
  EXPECT_EQ(system.asked(), (192u << 10) / 60'000);
}

TEST_F(TunnelWorkerTest, EndsWithItsInterface) {
  start();
  os::Namespace::shell("ip link del worker0");
  wait_until([&] { return worker_->interface_gone(); });
}

}  // namespace
}  // namespace ginnel::tunnel

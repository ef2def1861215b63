#include "service/cage/port_publisher.h"

#include <gtest/gtest.h>

#include "os/clock.h"

namespace ginnel::cage {
namespace {

const PublishedPort kAnyPort{.outside = {.address = net::Address::v4({127, 0, 0, 1})},
                             .inside = 80};

class PortPublisherTest : public testing::Test {
 protected:
  PortPublisherTest() {
    auto listeners = PortPublisher::listen({kAnyPort}).value();
    place_ = {.address = kAnyPort.outside.address, .port = listeners.front().port()};
    EXPECT_TRUE(publisher_.start(std::move(listeners), {kAnyPort}));
  }

  os::UnixStream connect() { return os::UnixStream::adopt(os::begin_stream(place_, {}).value()); }
  // Carries on until `done`, or fails after ten seconds.
  template <class Condition>
  bool run_until(Condition done) {
    const MonoTime end = os::Clock().mono() + 10s;
    while (!done()) {
      const auto all_ready = poller_.wait_until(os::Clock().mono() + 20ms);
      const MonoTime now = os::Clock().mono();
      for (const os::Ready& ready : all_ready) publisher_.handle(now, ready);
      publisher_.handle_timeout(now);
      if (now > end) return false;
    }
    return true;
  }

  os::Poller poller_ = os::Poller::create().value();
  std::vector<std::pair<std::uint64_t, std::uint16_t>> asked_;
  PortPublisher publisher_{poller_,
                           [this](std::uint64_t number, std::uint16_t port) {
                             asked_.emplace_back(number, port);
                             return ok();
                           },
                           1};
  net::Endpoint place_;
};

TEST_F(PortPublisherTest, CarriesBothWaysAndTheEnds) {
  auto server = os::StreamListener::listen({.address = kAnyPort.outside.address}).value();
  auto client = connect();
  ASSERT_TRUE(run_until([&] { return asked_.size() == 1; }));
  EXPECT_EQ(asked_[0].second, kAnyPort.inside);
  const net::Endpoint inside{.address = place_.address, .port = server.port()};
  publisher_.take_inner(asked_[0].first, os::begin_stream(inside, {}).value());
  std::optional<os::StreamListener::Accepted> accepted;
  ASSERT_TRUE(run_until([&] {
    accepted = server.accept().value();
    return accepted.has_value();
  }));
  auto inner = os::UnixStream::adopt(std::move(accepted->fd));

  // More than all buffers hold, so that it has to wait in between.
  const std::string sent(8u << 20, 'x');
  std::string_view left = sent;
  std::string received;
  ASSERT_TRUE(run_until([&] {
    EXPECT_NE(client.send(left), os::UnixStream::Flow::Closed);
    inner.receive(received, sent.size() + 1);
    return received.size() == sent.size();
  }));
  client.end_sending();
  ASSERT_TRUE(run_until(
      [&] { return inner.receive(received, sent.size() + 1) == os::UnixStream::Flow::Closed; }));
  std::string_view answer = "answer";
  inner.send(answer);
  inner.end_sending();
  std::string back;
  ASSERT_TRUE(run_until([&] { return client.receive(back, 100) == os::UnixStream::Flow::Closed; }));
  EXPECT_EQ(back, "answer");
}

TEST_F(PortPublisherTest, ClosesWhenNobodyListensInside) {
  auto client = connect();
  ASSERT_TRUE(run_until([&] { return asked_.size() == 1; }));
  publisher_.take_inner(asked_[0].first, {});
  std::string nothing;
  EXPECT_TRUE(
      run_until([&] { return client.receive(nothing, 100) == os::UnixStream::Flow::Closed; }));
}

TEST_F(PortPublisherTest, HasSoManyConnections) {
  std::vector<os::UnixStream> clients;
  for (std::size_t i = 0; i < PortPublisher::kMaxConnections; ++i) clients.push_back(connect());
  ASSERT_TRUE(run_until([&] { return asked_.size() == PortPublisher::kMaxConnections; }));
  auto late = connect();
  std::string nothing;
  EXPECT_TRUE(
      run_until([&] { return late.receive(nothing, 100) == os::UnixStream::Flow::Closed; }));
  EXPECT_EQ(asked_.size(), PortPublisher::kMaxConnections);
  EXPECT_EQ(clients.front().receive(nothing, 100), os::UnixStream::Flow::Open);
}

}  // namespace
}  // namespace ginnel::cage

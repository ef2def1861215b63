#include "service/resolver/resolver.h"

#include <gtest/gtest.h>

#include "os/clock.h"
#include "os/udp_socket.h"
#include "os/unix_socket.h"
#include "service/resolver/stream_clients.h"
#include "unit/core/dns/wire.h"

namespace ginnel::resolver {
namespace {

using namespace dns::test;
using dns::Bytes;

constexpr net::Endpoint kAnyPort{.address = {}, .port = 0};

net::Endpoint loopback(std::uint16_t port = 0) {
  return {.address = net::Address::v4({127, 0, 0, 1}), .port = port};
}

// Waits, within reason, until there is something to read.
bool wait_readable(int fd) {
  auto poller = os::Poller::create().value();
  EXPECT_TRUE(poller.add(fd, 1, os::Interest::Read));
  return !poller.wait_until(os::Clock().mono() + 10s).empty();
}

Bytes receive(const os::Fd& fd) {
  std::array<std::uint8_t, 4096> room;
  EXPECT_TRUE(wait_readable(fd.get()));
  const auto received = os::receive_datagram(fd.get(), room);
  if (!received || !*received) return {};
  return {(*received)->begin(), (*received)->end()};
}

class ResolverTest : public testing::Test {
 protected:
  // A port that is free in both transports.
  static net::Endpoint free_place() {
    auto listener = os::StreamListener::listen(loopback()).value();
    return loopback(listener.port());
  }
  void start(std::vector<net::Endpoint> upstreams, os::SocketOrigin origin = {}) {
    place_ = free_place();
    auto started = Resolver::start({.listen = {{.at = place_}},
                                    .upstreams = std::move(upstreams),
                                    .origin = std::move(origin)});
    ASSERT_TRUE(started) << started.error().message;
    resolver_ = std::move(*started);
    client_ = os::connect_datagrams(place_, {}).value();
  }
  void ask(const WireMessage& message) {
    ASSERT_TRUE(os::send_datagram(client_.get(), message.bytes()));
  }

  net::Endpoint place_;
  std::unique_ptr<Resolver> resolver_;
  os::Fd client_;
};

TEST_F(ResolverTest, RefusesAtOnceWithoutAnybodyToAsk) {
  start({});
  ask({});
  const Bytes reply = receive(client_);
  ASSERT_GT(reply.size(), dns::kHeaderBytes);
  EXPECT_EQ(reply[3] & 0x0f, 2);
  EXPECT_EQ(resolver_->count(dns::Count::Failures), 1u);
  EXPECT_EQ(resolver_->counters().front(), (std::pair<std::string, std::uint64_t>{"queries", 1}));
}

TEST_F(ResolverTest, RefusesAtOnceWhenTheUpstreamsHostSaysNo) {
  start({free_place()});
  ask({});
  EXPECT_EQ(receive(client_)[3] & 0x0f, 2);
  EXPECT_GE(resolver_->count(dns::Count::UpstreamErrors), 1u);
  EXPECT_EQ(resolver_->count(dns::Count::UpstreamTimeouts), 0u);
}

TEST_F(ResolverTest, RefusesAtOnceWithoutTheTunnelsInterface) {
  auto upstream = os::UdpSocket::bind({.address = loopback().address}).value();
  start({loopback(upstream->local_port())}, {.interface = "gone0"});
  ask({});
  EXPECT_EQ(receive(client_)[3] & 0x0f, 2);
  os::ReceiveBatch batch(1);
  EXPECT_EQ(upstream->receive(batch), 0u);
}

TEST_F(ResolverTest, CarriesQuestionAndAnswer) {
  auto upstream = os::UdpSocket::bind({.address = loopback().address}).value();
  start({loopback(upstream->local_port())});
  ask({});
  os::ReceiveBatch batch(1);
  ASSERT_TRUE(wait_readable(upstream->fd()));
  ASSERT_EQ(upstream->receive(batch), 1u);
  const net::Datagram question = batch.datagrams()[0];
  WireMessage answer = answer_to(question.bytes);
  answer.answers = {{kPointerToQuestion, kTypeA, 60}};
  Bytes bytes = answer.bytes();
  const net::Datagram datagram{.bytes = bytes, .path = question.path};
  upstream->send({&datagram, 1});
  WireMessage expected = answer;
  expected.id = WireMessage().id;
  EXPECT_EQ(receive(client_), expected.bytes());
}

// The same by TCP, in pieces, twice in one connection; then silence of the client's.
TEST_F(ResolverTest, AnswersOnTcp) {
  start({});
  auto stream = os::UnixStream::adopt(os::begin_stream(place_, {}).value());
  std::string request;
  dns::append_framed(WireMessage().bytes(), request);
  const MonoTime deadline = os::Clock().mono() + 10s;
  ASSERT_TRUE(stream.send_all(request.substr(0, 5), deadline));
  ASSERT_TRUE(stream.send_all(request.substr(5) + request, deadline));
  const auto has_two = [](std::string_view text) { return text.size() >= 2 * 31; };
  const auto replies = stream.receive_until(has_two, 1000, deadline);
  ASSERT_TRUE(replies);
  EXPECT_EQ(replies->size(), 2 * request.size());
  stream.end_sending();
  const auto end = stream.receive_until([](auto) { return false; }, 1000, deadline);
  EXPECT_EQ(end.value(), "");
}

TEST_F(ResolverTest, ClosesOnThoseWhoBreakTheRules) {
  start({});
  auto stream = os::UnixStream::adopt(os::begin_stream(place_, {}).value());
  const MonoTime deadline = os::Clock().mono() + 10s;
  ASSERT_TRUE(stream.send_all(std::string("\xff\xff", 2), deadline));
  EXPECT_EQ(stream.receive_until([](auto) { return false; }, 1000, deadline).value(), "");
}

TEST_F(ResolverTest, TakesSoManyTcpClientsOfOneSource) {
  start({});
  std::vector<os::UnixStream> streams;
  for (std::size_t i = 0; i < StreamClients::kMaxClientsPerSource + 1; ++i) {
    streams.push_back(os::UnixStream::adopt(os::begin_stream(place_, {}).value()));
  }
  const MonoTime deadline = os::Clock().mono() + 10s;
  std::string request;
  dns::append_framed(WireMessage().bytes(), request);
  EXPECT_EQ(streams.back().receive_until([](auto) { return false; }, 1000, deadline).value_or(""),
            "");
  ASSERT_TRUE(streams.front().send_all(request, deadline));
  const auto any = [](std::string_view text) { return !text.empty(); };
  EXPECT_FALSE(streams.front().receive_until(any, 1000, deadline).value().empty());
  EXPECT_EQ(resolver_->count(dns::Count::DroppedStreams), 1u);
}

TEST_F(ResolverTest, TakesNewUpstreamsWhileItRuns) {
  start({});
  auto upstream = os::UdpSocket::bind({.address = loopback().address}).value();
  resolver_->set_upstreams({loopback(upstream->local_port())});
  ask({});
  EXPECT_TRUE(wait_readable(upstream->fd()));
}

TEST(ResolverStart, NamesWhoHasThePort) {
  auto listener = os::StreamListener::listen(loopback()).value();
  const auto started = Resolver::start({.listen = {{.at = loopback(listener.port())}}});
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, ErrorCode::AlreadyExists);
  EXPECT_FALSE(Resolver::start({}));
  EXPECT_FALSE(Resolver::start(
      {.listen = std::vector<ListenPlace>(Resolver::kMaxPlaces + 1, {.at = kAnyPort})}));
}

}  // namespace
}  // namespace ginnel::resolver

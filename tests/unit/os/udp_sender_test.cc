#include "os/udp_sender.h"

#include <errno.h>
#include <gtest/gtest.h>
#include <netinet/udp.h>

#include "faulty_udp_system.h"
#include "os/socket_address.h"
#include "udp_traffic.h"

namespace ginnel::os {
namespace {

const net::PathAddress kThere{.remote = {net::Address::v4({192, 0, 2, 1}), 51820}};
const net::PathAddress kElsewhere{.remote = {net::Address::v4({192, 0, 2, 2}), 51820}};
const net::PathAddress kFromHere{.remote = kThere.remote,
                                 .local = net::Address::v4({198, 51, 100, 1})};

struct UdpSenderTest : testing::Test {
  void send(Outgoing out) { sender.send(out.datagrams()); }
  std::uint64_t count(UdpCount what) const { return counters.of(what); }
  std::size_t joined() const {
    return static_cast<std::size_t>(std::count_if(system.taken.begin(), system.taken.end(),
                                                  [](const auto& m) { return m.is_joined; }));
  }
  std::uint64_t drops() const {
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < static_cast<std::size_t>(UdpCount::kCount); ++i) {
      if (is_drop(UdpCount(i))) sum += counters.of(UdpCount(i));
    }
    return sum;
  }

  FaultyUdpSystem system;
  UdpCounters counters;
  UdpSender sender{{.fwmark = 7, .interface = "eth0"}, system, counters};
};

// A kernel that minds joined datagrams beyond the MTU, as all do.
FaultyUdpSystem::Fault beyond(std::size_t largest, int error, std::size_t segment) {
  return [=](const auto& call) { return call[0].is_joined && segment > largest ? -error : 1; };
}

TEST_F(UdpSenderTest, SendsSinglyWhatIsTooLargeToBeJoinedAndKeepsJoiningWhatFits) {
  for (const int error : {EMSGSIZE, EINVAL}) {  // Newer and older kernels.
    SCOPED_TRACE(error);
    FaultyUdpSystem kernel;
    kernel.mtu = 1400;
    UdpSender one({.fwmark = 7, .interface = "eth0"}, kernel, counters);
    kernel.rule = beyond(1372, error, 1373);
    one.send(Outgoing(kThere).add_many(4, 1373).datagrams());
    EXPECT_EQ(kernel.taken.size(), 4u);
    ASSERT_EQ(kernel.asked.size(), 1u);
    EXPECT_EQ(kernel.asked[0].remote, kThere.remote);
    EXPECT_EQ(kernel.asked[0].fwmark, 7u);
    EXPECT_EQ(kernel.asked[0].interface, "eth0");

    // The lesson holds for this endpoint and this size only.
    one.send(Outgoing(kThere).add_many(4, 1373).datagrams());
    EXPECT_EQ(kernel.taken.size(), 8u);
    kernel.rule = nullptr;
    one.send(Outgoing(kThere).add_many(4, 1372).datagrams());
    one.send(Outgoing(kElsewhere).add_many(4, 1373).datagrams());
    EXPECT_EQ(kernel.taken.size(), 10u);
    EXPECT_TRUE(kernel.taken[8].is_joined);
    EXPECT_TRUE(kernel.taken[9].is_joined);
    EXPECT_EQ(kernel.calls.size(), 1u + 4 + 1 + 1 + 1);
    EXPECT_TRUE(one.gso());
  }
  EXPECT_EQ(count(UdpCount::JoinedSendsRefused), 2u);
  EXPECT_EQ(drops(), 0u);
}

TEST_F(UdpSenderTest, GivesJoiningUpAfterTwoRefusalsThatTheMtuDoesNotExplain) {
  system.rule = beyond(0, EINVAL, 1);
  send(Outgoing(kThere).add_many(3, 1000));
  EXPECT_TRUE(sender.gso());
  send(Outgoing(kThere).add_many(3, 1000));  // Known by now: not tried.
  EXPECT_TRUE(sender.gso());
  send(Outgoing(kElsewhere).add_many(3, 1000));
  EXPECT_FALSE(sender.gso());
  system.rule = nullptr;
  send(Outgoing(kElsewhere).add_many(3, 10));

  EXPECT_EQ(system.taken.size(), 12u);
  EXPECT_EQ(joined(), 0u);
  EXPECT_EQ(system.calls.back().size(), 3u);  // One call all the same.
  EXPECT_EQ(count(UdpCount::JoinedSendsRefused), 2u);
  EXPECT_EQ(count(UdpCount::DatagramsSent), 12u);
  EXPECT_EQ(drops(), 0u);
}

// The largest datagram that one packet of the route carries is the last whose refusal nothing
// explains.
TEST_F(UdpSenderTest, BlamesTheMtuFromTheFirstByteBeyondIt) {
  struct Row {
    net::Family family;
    const char* remote;
    std::size_t size;
    bool explained;
  };
  const Row rows[] = {{net::Family::V4, "192.0.2.1", 1372, false},
                      {net::Family::V4, "192.0.2.1", 1373, true},
                      {net::Family::V6, "2001:db8::1", 1352, false},
                      {net::Family::V6, "2001:db8::1", 1353, true}};
  for (const int error : {EMSGSIZE, EINVAL}) {
    for (const Row& row : rows) {
      SCOPED_TRACE(testing::Message() << error << ": " << row.size << " to " << row.remote);
      FaultyUdpSystem kernel;
      kernel.mtu = 1400;
      UdpSender one({.family = row.family}, kernel, counters);
      for (std::uint16_t port = 1; port <= UdpSender::kMaxUnexplainedRefusals; ++port) {
        EXPECT_TRUE(one.gso());
        const net::PathAddress path{.remote = {*net::Address::parse(row.remote), port, 0}};
        kernel.fail_next(error);
        one.send(Outgoing(path).add_many(3, row.size).datagrams());
      }
      EXPECT_EQ(one.gso(), row.explained);
      EXPECT_EQ(kernel.taken.size(), 3u * UdpSender::kMaxUnexplainedRefusals);
      EXPECT_EQ(drops(), 0u);
    }
  }
}

TEST_F(UdpSenderTest, NeverGivesJoiningUpBecauseOfTheMtu) {
  system.mtu = 1280;
  for (std::uint8_t i = 0; i < 20; ++i) {
    net::PathAddress path = kThere;
    path.remote.port = i;
    system.fail_next(EMSGSIZE);
    send(Outgoing(path).add_many(2, 1253));
  }
  EXPECT_TRUE(sender.gso());
  EXPECT_EQ(count(UdpCount::JoinedSendsRefused), 20u);
}

TEST_F(UdpSenderTest, CountsARefusalAsUnexplainedWhenTheMtuIsUnknown) {
  system.mtu = 0;
  for (const net::PathAddress& path : {kThere, kElsewhere}) {
    system.fail_next(EMSGSIZE);
    send(Outgoing(path).add_many(2, 1452));
  }
  EXPECT_FALSE(sender.gso());
}

TEST_F(UdpSenderTest, TriesToJoinAgainAfterManySends) {
  system.mtu = 1280;
  system.fail_next(EMSGSIZE);
  send(Outgoing(kThere).add_many(2, 1400));
  Outgoing out(kThere);
  const auto datagrams = out.add_many(2, 1400).datagrams();
  // Either datagram of a pair that is not joined asks for the limit.
  for (std::uint32_t used = 0; used < kMaxUsesOfALesson; used += 2) {
    EXPECT_EQ(joined(), 0u);
    sender.send(datagrams);
  }
  sender.send(datagrams);
  EXPECT_EQ(joined(), 1u);
}

// As where IPsec is on the way to one of the endpoints, or the device cannot.
TEST_F(UdpSenderTest, GivesJoiningUpTheSecondTimeThatNobodyMakesChecksums) {
  system.rule = [](const auto& call) {
    return call[0].is_joined && call[0].remote == kThere.remote ? -EIO : 1;
  };
  for (int i = 0; i < 3; ++i) send(Outgoing(kThere).add_many(5, 1000));
  EXPECT_EQ(system.taken.size(), 15u);
  EXPECT_EQ(count(UdpCount::JoinedSendsRefused), 1u);
  send(Outgoing(kElsewhere).add_many(5, 1000));
  EXPECT_TRUE(system.taken.back().is_joined);
  EXPECT_TRUE(sender.gso());

  system.rule = [](const auto& call) { return call[0].is_joined ? -EIO : 1; };
  send(Outgoing(kElsewhere).add_many(5, 1000));
  EXPECT_FALSE(sender.gso());
  EXPECT_EQ(count(UdpCount::JoinedSendsRefused), 2u);
  EXPECT_EQ(drops(), 0u);
}

TEST_F(UdpSenderTest, GoesOnBehindAMessageThatWasRecovered) {
  Outgoing out(kThere);
  out.add_to(kElsewhere, 50).add_many(3, 1452).add_to(kElsewhere, 60).add_to(kElsewhere, 70);
  system.take_next(1);
  system.fail_next(EIO);
  send(std::move(out));
  std::vector<std::size_t> sizes;
  sizes.reserve(system.taken.size());
  for (const auto& message : system.taken) sizes.push_back(message.bytes);
  EXPECT_EQ(sizes, (std::vector<std::size_t>{50, 1452, 1452, 1452, 60, 70}));
}

TEST_F(UdpSenderTest, GoesOnWhereAPartialSendStopped) {
  Outgoing out(kThere);
  for (int i = 0; i < 5; ++i) out.add_to(kElsewhere, 10).add_to(kThere, 20);
  system.take_next(3);
  system.take_next(1);
  send(std::move(out));
  EXPECT_EQ(system.taken.size(), 10u);
  EXPECT_EQ(system.calls.size(), 3u);
  EXPECT_EQ(system.calls[1].size(), 7u);
  EXPECT_EQ(system.calls[2].size(), 6u);
  EXPECT_EQ(count(UdpCount::DatagramsSent), 10u);
  EXPECT_EQ(count(UdpCount::BytesSent), 150u);
}

TEST_F(UdpSenderTest, DropsTheRestWhenTheSocketIsFull) {
  Outgoing out(kThere);
  for (int i = 0; i < 40; ++i) out.add_to(kElsewhere, 10).add_to(kThere, 20).add_to(kThere, 20);
  system.take_next(5);
  system.fail_next(EAGAIN);
  send(std::move(out));
  EXPECT_EQ(system.calls.size(), 2u);  // A link that is slower than we are is not asked again.
  EXPECT_EQ(count(UdpCount::DatagramsSent), 7u);
  EXPECT_EQ(count(UdpCount::SendBufferFull), 113u);
  EXPECT_EQ(drops(), 113u);
}

TEST_F(UdpSenderTest, DropsTheRestWhenTheSocketFillsUpWhileSendingSingly) {
  system.fail_next(EIO);
  system.take_next(1);
  system.fail_next(EAGAIN);
  send(Outgoing(kThere).add_many(5, 100).add_to(kElsewhere, 9));
  EXPECT_EQ(count(UdpCount::DatagramsSent), 1u);
  EXPECT_EQ(count(UdpCount::SendBufferFull), 5u);
}

TEST_F(UdpSenderTest, DropsOnlyTheMessageThatWasRefused) {
  struct Row {
    int error;
    UdpCount counted;
  };
  const Row rows[] = {
      {ENOBUFS, UdpCount::SendNoMemory},        {ENOMEM, UdpCount::SendNoMemory},
      {EPERM, UdpCount::SendForbidden},         {EACCES, UdpCount::SendForbidden},
      {ENETUNREACH, UdpCount::SendUnreachable}, {EHOSTUNREACH, UdpCount::SendUnreachable},
      {ENETDOWN, UdpCount::SendUnreachable},    {EADDRNOTAVAIL, UdpCount::SendUnreachable},
      {ECONNREFUSED, UdpCount::SendRefused},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.error);
    UdpCounters fresh;
    UdpSender one({}, system, fresh);
    system.fail_next(row.error);
    Outgoing out(kThere);
    one.send(out.add_many(3, 100).add_to(kElsewhere, 10).datagrams());
    EXPECT_EQ(fresh.of(row.counted), 3u);
    EXPECT_EQ(fresh.of(UdpCount::DatagramsSent), 1u);
    EXPECT_TRUE(one.gso());
    EXPECT_TRUE(is_drop(row.counted));
  }
}

TEST_F(UdpSenderTest, AsksOnlyOnceForARunThatHasNoWay) {
  system.rule = [](const auto&) { return -ENETUNREACH; };
  send(Outgoing(kFromHere).add_many(60, 100));
  EXPECT_EQ(system.calls.size(), 3u);  // Joined; alone; alone without the source.
  EXPECT_EQ(count(UdpCount::SendUnreachable), 60u);
  EXPECT_EQ(count(UdpCount::SourcesGone), 0u);
  EXPECT_TRUE(system.asked.empty());
}

TEST_F(UdpSenderTest, BlamesTheSourceAndNotTheJoining) {
  for (const int error : {EINVAL, EADDRNOTAVAIL, ENETUNREACH}) {
    SCOPED_TRACE(error);
    FaultyUdpSystem kernel;
    UdpCounters fresh;
    UdpSender one({}, kernel, fresh);
    kernel.rule = [error](const auto& call) { return call[0].has_source ? -error : 1; };
    one.send(Outgoing(kFromHere).add_many(3, 100).datagrams());
    EXPECT_EQ(kernel.calls.size(), 5u);  // Joined; alone; and three without the source.
    one.send(Outgoing(kFromHere).add_many(3, 100).datagrams());
    EXPECT_EQ(kernel.calls.size(), 6u);
    EXPECT_TRUE(kernel.taken.back().is_joined);
    EXPECT_FALSE(kernel.taken.back().has_source);
    EXPECT_EQ(fresh.of(UdpCount::SourcesGone), 1u);
    EXPECT_EQ(fresh.of(UdpCount::DatagramsSent), 6u);
    EXPECT_TRUE(one.gso());

    const net::PathAddress back[] = {kFromHere};
    one.note_received(back);
    kernel.rule = nullptr;
    one.send(Outgoing(kFromHere).add(100).datagrams());
    EXPECT_TRUE(kernel.taken.back().has_source);
  }
}

TEST_F(UdpSenderTest, SendsEverythingHoweverManyMessagesThereAre) {
  for (const std::size_t number :
       {std::size_t{0}, std::size_t{1}, UdpSender::kMaxMessages - 1, UdpSender::kMaxMessages,
        UdpSender::kMaxMessages + 1, 3 * UdpSender::kMaxMessages}) {
    SCOPED_TRACE(number);
    FaultyUdpSystem kernel;
    UdpSender one({}, kernel, counters);
    Outgoing out(kThere);
    for (std::size_t i = 0; i < number; ++i) out.add_to(i % 2 == 0 ? kThere : kElsewhere, 10);
    one.send(out.datagrams());
    EXPECT_EQ(kernel.taken.size(), number);
    EXPECT_EQ(kernel.calls.size(),
              (number + UdpSender::kMaxMessages - 1) / UdpSender::kMaxMessages);
  }
}

TEST(UdpCounters, NamesEachCounterOnce) {
  std::vector<std::string_view> names;
  for (std::size_t i = 0; i < static_cast<std::size_t>(UdpCount::kCount); ++i) {
    names.push_back(name_of(UdpCount(i)));
    EXPECT_TRUE(names.back().starts_with("udp_"));
  }
  std::sort(names.begin(), names.end());
  EXPECT_EQ(std::adjacent_find(names.begin(), names.end()), names.end());
}

}  // namespace
}  // namespace ginnel::os

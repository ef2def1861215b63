#include "os/udp_socket.h"

#include <gtest/gtest.h>
#include <net/if.h>
#include <netinet/udp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <thread>

#include "refused_calls.h"
#include "test_network.h"
#include "udp_traffic.h"

namespace ginnel::os {
namespace {

struct Offload {
  bool gso, gro;
};
constexpr Offload kOffloads[] = {{true, true}, {true, false}, {false, true}, {false, false}};

struct Ways {
  const char *sender, *receiver;
};
constexpr Ways kLoopback[] = {{"127.0.0.1", "127.0.0.1"}, {"::1", "::1"}};
constexpr Ways kVeth[] = {{"192.0.2.1", "192.0.2.2"}, {"2001:db8::1", "2001:db8::2"}};

class UdpSocketTest : public testing::Test {
 protected:
  Namespace space_;
  Namespace::Inside inside_{space_};
};

TEST_F(UdpSocketTest, CarriesRunsOfEveryLengthByteForByte) {
  for (const Offload& offload : kOffloads) {
    for (const Ways& ways : kLoopback) {
      const auto receiver = bound({.address = address(ways.receiver), .gro = offload.gro});
      const auto sender = bound({.address = address(ways.sender), .gso = offload.gso});
      const net::PathAddress path = path_to(ways.receiver, *receiver);
      for (const std::size_t size : {1, 2, 15, 16, 17, 148, 1419, 1420, 1451, 1452}) {
        for (const std::size_t run : {1, 2, 3, 44, 45, 46, 63, 64, 65, 131}) {
          for (const std::size_t last : {std::size_t{0}, std::size_t{1}, size - 1}) {
            SCOPED_TRACE(testing::Message()
                         << "gso " << offload.gso << " gro " << offload.gro << " to "
                         << ways.receiver << ": " << run << " of " << size << ", last " << last);
            Outgoing out(path);
            out.add_many(run, size);
            if (last > 0) out.add(last);
            const auto datagrams = out.datagrams();
            sender->send(datagrams);
            ASSERT_NO_FATAL_FAILURE(expect_arrived(datagrams, *receiver));
          }
        }
      }
    }
  }
}

TEST_F(UdpSocketTest, CarriesRunsOverALinkWithARealMtu) {
  Namespace other;
  join_by_veth(space_, other);
  for (const Offload& offload : kOffloads) {
    for (const Ways& ways : kVeth) {
      SCOPED_TRACE(testing::Message()
                   << "gso " << offload.gso << " gro " << offload.gro << " to " << ways.receiver);
      std::unique_ptr<UdpSocket> receiver;
      {
        const Namespace::Inside there(other);
        receiver = bound({.address = address(ways.receiver), .gro = offload.gro});
      }
      const auto sender = bound({.address = address(ways.sender), .gso = offload.gso});
      Outgoing out(path_to(ways.receiver, *receiver));
      out.add_many(45, 1452).add_many(7, 1451).add(1).add_many(100, 92).add_many(3, 1452).add(700);
      const auto datagrams = out.datagrams();

      sender->send(datagrams);

      expect_arrived(datagrams, *receiver);
      EXPECT_EQ(sender->counters().of(UdpCount::JoinedSendsRefused), 0u);
    }
  }
}

TEST_F(UdpSocketTest, CarriesAnEmptyDatagramBetweenOthers) {
  const auto receiver = bound("127.0.0.1");
  const auto sender = bound("127.0.0.1");
  Outgoing out(path_to("127.0.0.1", *receiver));
  out.add_many(2, 100).add(0).add(0).add_many(2, 100);
  const auto datagrams = out.datagrams();
  sender->send(datagrams);
  expect_arrived(datagrams, *receiver);
}

// How many messages and system calls a batch takes, at the limits of both.
TEST_F(UdpSocketTest, JoinsAsManyDatagramsAsTheKernelTakes) {
  struct Row {
    std::size_t count, size;
    bool gso;
    std::size_t messages, calls;
  };
  const Row rows[] = {
      {1, 1452, true, 1, 1},   {2, 1452, true, 1, 1},   {45, 1452, true, 1, 1},
      {46, 1452, true, 2, 1},  {63, 100, true, 1, 1},   {64, 100, true, 1, 1},
      {65, 100, true, 2, 1},   {128, 1452, true, 3, 1}, {63, 100, false, 63, 1},
      {64, 100, false, 64, 1}, {65, 100, false, 65, 2}, {128, 100, false, 128, 2},
      {64, 1023, true, 1, 1},  {64, 1024, true, 2, 1},  // 65,472 and 65,536 bytes.
  };
  const auto receiver = bound("127.0.0.1");
  for (const Row& row : rows) {
    SCOPED_TRACE(testing::Message() << row.count << " of " << row.size << ", gso " << row.gso);
    const auto sender = bound({.address = address("127.0.0.1"), .gso = row.gso});
    Outgoing out(path_to("127.0.0.1", *receiver));
    const auto datagrams = out.add_many(row.count, row.size).datagrams();
    sender->send(datagrams);
    EXPECT_EQ(sender->counters().of(UdpCount::MessagesSent), row.messages);
    EXPECT_EQ(sender->counters().of(UdpCount::Sends), row.calls);
    EXPECT_EQ(sender->counters().of(UdpCount::DatagramsSent), row.count);
    EXPECT_EQ(sender->counters().of(UdpCount::BytesSent), row.count * row.size);
    ASSERT_NO_FATAL_FAILURE(expect_arrived(datagrams, *receiver));
  }
}

TEST_F(UdpSocketTest, GathersScatteredDatagramsUpToItsLimitOfPieces) {
  struct Row {
    std::size_t count, calls;
  };
  const auto receiver = bound("127.0.0.1");
  for (const Row& row : {Row{255, 1}, Row{256, 1}, Row{257, 2}}) {
    SCOPED_TRACE(row.count);
    const auto sender = bound("127.0.0.1");
    Outgoing out(path_to("127.0.0.1", *receiver));
    for (std::size_t i = 0; i < row.count; ++i) out.add(64).add_gap();
    const auto datagrams = out.datagrams();
    sender->send(datagrams);
    EXPECT_EQ(sender->counters().of(UdpCount::Sends), row.calls);
    ASSERT_NO_FATAL_FAILURE(expect_arrived(datagrams, *receiver));
  }
}

TEST_F(UdpSocketTest, StartsANewMessageWhereSizeEcnOrPathChange) {
  const auto receiver = bound("127.0.0.1");
  const net::PathAddress path = path_to("127.0.0.1", *receiver);
  const net::PathAddress equal = path, other = path_to("127.0.0.2", *receiver);
  struct Row {
    const char* what;
    std::size_t messages;
    std::function<void(Outgoing&)> make;
  };
  const Row rows[] = {
      {"larger after smaller", 2, [](Outgoing& o) { o.add(100).add(101); }},
      {"smaller after equal", 1, [](Outgoing& o) { o.add_many(2, 100).add(99); }},
      {"anything after smaller", 2, [](Outgoing& o) { o.add(100).add(99).add(99); }},
      {"other ECN", 3, [](Outgoing& o) { o.add_many(2, 9, 0).add_many(2, 9, 2).add(9, 3); }},
      {"equal path", 1, [&](Outgoing& o) { o.add_to(path, 9).add_to(equal, 9); }},
      {"other path", 2, [&](Outgoing& o) { o.add_to(path, 9).add_to(other, 9); }},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.what);
    const auto sender = bound("127.0.0.1");
    Outgoing out(path);
    row.make(out);
    sender->send(out.datagrams());
    EXPECT_EQ(sender->counters().of(UdpCount::MessagesSent), row.messages);
  }
}

TEST_F(UdpSocketTest, ReceivesJoinedOnlyWhenAsked) {
  for (const bool gro : {true, false}) {
    SCOPED_TRACE(gro);
    const auto receiver = bound({.address = address("127.0.0.1"), .gro = gro});
    const auto sender = bound("127.0.0.1");
    Outgoing out(path_to("127.0.0.1", *receiver));
    const auto datagrams = out.add_many(20, 1000).datagrams();
    sender->send(datagrams);
    ASSERT_NO_FATAL_FAILURE(expect_arrived(datagrams, *receiver));
    EXPECT_EQ(receiver->gro(), gro);
    EXPECT_EQ(receiver->counters().of(UdpCount::MessagesReceived), gro ? 1u : 20u);
    EXPECT_EQ(receiver->counters().of(UdpCount::DatagramsReceived), 20u);
    EXPECT_EQ(receiver->counters().of(UdpCount::BytesReceived), 20'000u);
    EXPECT_EQ(receiver->counters().of(UdpCount::Receives), gro ? 1u : 3u);  // 8, 8 and 4.
  }
}

TEST_F(UdpSocketTest, DoesWithoutTheOffloadsThatAKernelDoesNotKnow) {
  struct Row {
    const char* name;
    int call;
    std::uint32_t option;
    bool gso, gro;
  };
  const Row rows[] = {{"neither is refused", SYS_getsockopt, 0xffff, true, true},
                      {"before GSO", SYS_getsockopt, UDP_SEGMENT, false, true},
                      {"before GRO", SYS_setsockopt, UDP_GRO, true, false}};
  for (const Row& row : rows) {
    for (const Ways& ways : kLoopback) {
      SCOPED_TRACE(testing::Message() << row.name << " to " << ways.receiver);
      // What is refused once stays so for the thread.
      std::thread([&] {
        refuse(row.call, {{1, BPF_JEQ, SOL_UDP}, {2, BPF_JEQ, row.option}});
        const auto receiver = bound(ways.receiver);
        const auto sender = bound(ways.sender);
        for (const auto& socket : {&receiver, &sender}) {
          EXPECT_EQ((*socket)->gso(), row.gso);
          EXPECT_EQ((*socket)->gro(), row.gro);
        }
        Outgoing out(path_to(ways.receiver, *receiver));
        const auto datagrams = out.add_many(20, 1000).add(7).datagrams();
        sender->send(datagrams);
        expect_arrived(datagrams, *receiver);
        EXPECT_EQ(sender->counters().of(UdpCount::MessagesSent), row.gso ? 1u : 21u);
        const bool joined = row.gso && row.gro;
        EXPECT_EQ(receiver->counters().of(UdpCount::MessagesReceived), joined ? 1u : 21u);
      }).join();
    }
  }
}

TEST_F(UdpSocketTest, CarriesTheEcnBitsOfEveryMessage) {
  for (const Ways& ways : kLoopback) {
    SCOPED_TRACE(ways.receiver);
    const auto receiver = bound(ways.receiver);
    const auto sender = bound(ways.sender);
    Outgoing out(path_to(ways.receiver, *receiver));
    for (std::uint8_t ecn = 0; ecn < 4; ++ecn) out.add_many(3, 500, ecn).add(500, 3 - ecn);
    const auto datagrams = out.datagrams();
    sender->send(datagrams);
    expect_arrived(datagrams, *receiver);
  }
}

TEST_F(UdpSocketTest, AnswersFromTheAddressThatWasAsked) {
  Namespace::add_address("2001:db8::7/128", "lo");
  Namespace::add_address("2001:db8::8/128", "lo");
  for (const auto& [any, asked] :
       {std::pair("0.0.0.0", "127.0.0.2"), std::pair("0.0.0.0", "127.0.0.3"),
        std::pair("::", "2001:db8::7"), std::pair("::", "2001:db8::8")}) {
    SCOPED_TRACE(asked);
    const auto server = bound(any);
    const auto client = bound(any);
    client->send(Outgoing(path_to(asked, *server)).add(40).datagrams());
    const auto asks = receive_all(*server, 1);
    ASSERT_EQ(asks.size(), 1u) << counts_of(*client) << " / " << counts_of(*server);
    EXPECT_EQ(asks[0].path.local, address(asked));
    EXPECT_EQ(asks[0].path.interface, if_nametoindex("lo"));

    server->send(Outgoing(asks[0].path).add_many(3, 50).add(20).datagrams());

    for (const Received& answer : receive_all(*client, 4)) {
      EXPECT_EQ(answer.path.remote.address, address(asked));
      EXPECT_EQ(answer.path.remote.port, server->local_port());
    }
    EXPECT_EQ(client->counters().of(UdpCount::DatagramsReceived), 4u);
  }
}

TEST_F(UdpSocketTest, AnswersALinkLocalAddressThroughItsScope) {
  Namespace other;
  join_by_veth(space_, other);
  Namespace::add_address("fe80::1/64", "left");
  std::unique_ptr<UdpSocket> server;
  {
    const Namespace::Inside there(other);
    Namespace::add_address("fe80::2/64", "right");
    server = bound("::");
  }
  const auto client = bound("::");
  net::PathAddress path = path_to("fe80::2", *server);
  path.remote.scope = if_nametoindex("left");

  client->send(Outgoing(path).add(10).datagrams());
  const auto asks = receive_all(*server, 1);
  ASSERT_EQ(asks.size(), 1u);
  EXPECT_EQ(asks[0].path.local, address("fe80::2"));
  EXPECT_NE(asks[0].path.remote.scope, 0u);
  server->send(Outgoing(asks[0].path).add(11).datagrams());

  EXPECT_EQ(receive_all(*client, 1).size(), 1u);
}

class GoneSourceTest : public UdpSocketTest, public testing::WithParamInterface<std::size_t> {};

// The address we answered from is taken from the host, as a DHCP client does.
TEST_P(GoneSourceTest, IsReplacedOnceAndRememberedAgainWhenItIsBack) {
  for (const char* const gone : {"198.51.100.9", "2001:db8::9"}) {
    SCOPED_TRACE(gone);
    const bool is_v4 = address(gone).is_v4();
    const std::string host = std::string(gone) + (is_v4 ? "/32" : "/128");
    Namespace::add_address(host, "lo");
    const auto server = bound(is_v4 ? "0.0.0.0" : "::");
    const auto client = bound(is_v4 ? "127.0.0.1" : "::1");
    net::PathAddress path = path_to(is_v4 ? "127.0.0.1" : "::1", *client);
    path.local = address(gone);
    Namespace::shell("ip addr del " + host + " dev lo");
    const std::size_t count = GetParam();

    for (int round = 0; round < 2; ++round) {
      server->send(Outgoing(path).add_many(count, 77).datagrams());
      const auto got = receive_all(*client, count);
      ASSERT_EQ(got.size(), count);
      for (const Received& one : got) EXPECT_EQ(one.path.remote.address, path.remote.address);
    }
    EXPECT_EQ(server->counters().of(UdpCount::SourcesGone), 1u);
    EXPECT_TRUE(server->gso());

    Namespace::add_address(host, "lo");
    client->send(Outgoing(path_to(gone, *server)).add(1).datagrams());
    ASSERT_EQ(receive_all(*server, 1).size(), 1u);
    server->send(Outgoing(path).add_many(count, 77).datagrams());
    for (const Received& one : receive_all(*client, count)) {
      EXPECT_EQ(one.path.remote.address, address(gone));
    }
    Namespace::shell("ip addr del " + host + " dev lo");
  }
}
INSTANTIATE_TEST_SUITE_P(AloneAndJoined, GoneSourceTest, testing::Values(1, 5));

TEST_F(UdpSocketTest, SendsWhatIsLargerThanTheLinkInFragmentsAndStopsJoiningIt) {
  Namespace other;
  join_by_veth(space_, other, 1280);
  for (const Ways& ways : kVeth) {
    SCOPED_TRACE(ways.receiver);
    std::unique_ptr<UdpSocket> receiver;
    {
      const Namespace::Inside there(other);
      receiver = bound(ways.receiver);
    }
    const auto sender = bound(ways.sender);
    const bool is_v4 = address(ways.sender).is_v4();
    const std::size_t fits = 1280 - (is_v4 ? 28 : 48);
    const UdpCounters& counters = sender->counters();
    for (const auto& [size, refused, messages] :
         {std::tuple<std::size_t, unsigned, unsigned>(1420, 1, 5),
          {1420, 1, 10},
          {fits + 1, 1, 15},
          {fits, 1, 16}}) {
      SCOPED_TRACE(size);
      Outgoing out(path_to(ways.receiver, *receiver));
      const auto datagrams = out.add_many(5, size).datagrams();
      sender->send(datagrams);
      ASSERT_NO_FATAL_FAILURE(expect_arrived(datagrams, *receiver));
      EXPECT_EQ(counters.of(UdpCount::JoinedSendsRefused), refused);
      EXPECT_EQ(counters.of(UdpCount::MessagesSent), messages);
    }
    EXPECT_TRUE(sender->gso());
  }
}

TEST_F(UdpSocketTest, CountsWhatTheKernelRefuses) {
  const auto sender = bound("0.0.0.0");
  const auto receiver = bound("127.0.0.1");
  const net::PathAddress there = path_to("127.0.0.1", *receiver);
  const net::PathAddress nowhere = path_to("203.0.113.1", *receiver);
  const net::PathAddress v6 = path_to("::1", *receiver);
  Outgoing out(there);
  out.add(10).add_to(nowhere, 20).add_to(v6, 30).add_to(v6, 30).add(65508).add(40);
  const auto datagrams = out.datagrams();

  sender->send(datagrams);

  EXPECT_EQ(sender->counters().of(UdpCount::SendUnreachable), 1u);
  EXPECT_EQ(sender->counters().of(UdpCount::SendWrongFamily), 2u);
  EXPECT_EQ(sender->counters().of(UdpCount::SendTooLarge), 1u);
  EXPECT_EQ(sender->counters().of(UdpCount::DatagramsSent), 2u);
  EXPECT_EQ(receive_all(*receiver, 2).size(), 2u);
}

TEST_F(UdpSocketTest, DropsAndCountsWhatTheReceiverDoesNotTakeInTime) {
  const auto receiver = bound({.address = address("127.0.0.1"), .receive_buffer_bytes = 1});
  const auto sender = bound("127.0.0.1");
  for (int i = 0; i < 10; ++i) {
    sender->send(Outgoing(path_to("127.0.0.1", *receiver)).add_many(4, 1400).datagrams());
  }
  EXPECT_GT(receiver->receive_overflows(), 0u);
}

TEST_F(UdpSocketTest, MarksItsPackets) {
  const auto socket = bound({.address = address("0.0.0.0"), .fwmark = 0x1234});
  const auto mark = [&] {
    std::uint32_t value = 0;
    socklen_t size = sizeof value;
    EXPECT_EQ(getsockopt(socket->fd(), SOL_SOCKET, SO_MARK, &value, &size), 0);
    return value;
  };
  EXPECT_EQ(mark(), 0x1234u);
  ASSERT_TRUE(socket->set_fwmark(0));
  EXPECT_EQ(mark(), 0u);
}

TEST_F(UdpSocketTest, ForcesItsBuffersBeyondTheLimitOfTheSystem) {
  const auto socket = bound({.address = address("0.0.0.0")});
  for (const auto& [name, bytes] :
       {std::pair(SO_RCVBUF, kReceiveBufferBytes), std::pair(SO_SNDBUF, kSendBufferBytes)}) {
    int value = 0;
    socklen_t size = sizeof value;
    ASSERT_EQ(getsockopt(socket->fd(), SOL_SOCKET, name, &value, &size), 0);
    EXPECT_EQ(value, 2 * bytes);  // The kernel doubles it, for its own bookkeeping.
  }
}

TEST_F(UdpSocketTest, HearsOnlyTheInterfaceItIsBoundTo) {
  Namespace::shell("ip link add other type veth peer name other-end && ip link set other up");
  const auto receiver = bound({.address = address("0.0.0.0"), .interface = "other"});
  const auto hears_lo = bound({.address = address("0.0.0.0"), .interface = "lo"});
  const auto sender = bound("127.0.0.1");
  sender->send(Outgoing(path_to("127.0.0.1", *receiver)).add(1).datagrams());
  sender->send(Outgoing(path_to("127.0.0.1", *hears_lo)).add(1).datagrams());
  ASSERT_EQ(receive_all(*hears_lo, 1).size(), 1u);  // So the one before has been delivered too.
  ReceiveBatch batch;
  EXPECT_EQ(receiver->receive(batch), 0u);

  const auto nowhere = UdpSocket::bind({.interface = "absent0"});
  ASSERT_FALSE(nowhere);
  EXPECT_EQ(nowhere.error().message,
            "bind UDP 0.0.0.0:0 on absent0: No such device; there is no interface absent0");
}

TEST_F(UdpSocketTest, NamesWhoHasThePort) {
  const auto first = bound("127.0.0.1");
  const auto second = UdpSocket::bind({.address = address("0.0.0.0"), .port = first->local_port()});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::AlreadyExists);
  EXPECT_NE(second.error().message.find(fmt::format("bind UDP 0.0.0.0:{}: ", first->local_port())),
            std::string::npos)
      << second.error().message;
  EXPECT_NE(second.error().message.find(fmt::format("unit_os (process {})", getpid())),
            std::string::npos)
      << second.error().message;
}

TEST_F(UdpSocketTest, SaysThatAnAddressIsNotOurs) {
  const auto socket = UdpSocket::bind({.address = address("203.0.113.5")});
  ASSERT_FALSE(socket);
  EXPECT_EQ(socket.error().message,
            "bind UDP 203.0.113.5:0: Cannot assign requested address; no interface of this host "
            "has that address");
}

TEST_F(UdpSocketTest, IsSharedWithAThreadThatSends) {
  const auto socket = bound("127.0.0.1");
  const auto receiver = bound("127.0.0.1");
  auto twin = socket->duplicate();
  ASSERT_TRUE(twin);
  (*twin)->send(Outgoing(path_to("127.0.0.1", *receiver)).add(5).datagrams());
  const auto got = receive_all(*receiver, 1);
  ASSERT_EQ(got.size(), 1u);
  EXPECT_EQ(got[0].path.remote.port, socket->local_port());
  EXPECT_EQ(socket->counters().of(UdpCount::Sends), 0u);
  EXPECT_EQ((*twin)->counters().of(UdpCount::Sends), 1u);
}

TEST_F(UdpSocketTest, TakesNoMoreMessagesThanItIsAskedTo) {
  const auto receiver = bound({.address = address("127.0.0.1"), .gro = false});
  const auto sender = bound("127.0.0.1");
  constexpr std::size_t kMax = ReceiveBatch::kMaxMessages;
  ReceiveBatch batch;
  for (const std::size_t limit : {std::size_t{1}, kMax - 1, kMax, kMax + 1}) {
    SCOPED_TRACE(limit);
    sender->send(Outgoing(path_to("127.0.0.1", *receiver)).add_many(kMax, 9).datagrams());
    const std::size_t first = std::min(limit, kMax);
    EXPECT_EQ(receiver->receive(batch, limit), first);
    EXPECT_EQ(receiver->receive(batch), kMax - first);
  }
}

}  // namespace
}  // namespace ginnel::os

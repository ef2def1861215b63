#include "os/receive_batch.h"

#include <errno.h>
#include <gtest/gtest.h>
#include <netinet/udp.h>

#include "allocation_count.h"
#include "faulty_udp_system.h"
#include "os/socket_address.h"
#include "test_network.h"
#include "udp_traffic.h"

namespace ginnel::os {
namespace {

constexpr std::size_t kMaxPerMessage = ReceiveBatch::kMaxDatagramsPerMessage;

// Writes a message as the kernel would: `length` bytes that it joined from pieces of `segment`.
void deliver(mmsghdr& message, std::size_t length, int segment, int flags = 0) {
  std::memset(message.msg_hdr.msg_iov[0].iov_base, 0x5a, length);
  SocketAddress from;
  const net::Endpoint remote{net::Address::v4({192, 0, 2, 1}), 51820};
  message.msg_hdr.msg_namelen = to_socket_address(remote, from);
  std::memcpy(message.msg_hdr.msg_name, &from, message.msg_hdr.msg_namelen);
  message.msg_len = static_cast<unsigned>(length);
  message.msg_hdr.msg_flags = flags;
  cmsghdr* const control = CMSG_FIRSTHDR(&message.msg_hdr);
  control->cmsg_level = SOL_UDP;
  control->cmsg_type = UDP_GRO;
  control->cmsg_len = CMSG_LEN(sizeof segment);
  std::memcpy(CMSG_DATA(control), &segment, sizeof segment);
  message.msg_hdr.msg_controllen = CMSG_SPACE(sizeof segment);
}

struct ReceiveBatchTest : testing::Test {
  // The sizes of the datagrams that come of one message.
  std::vector<std::size_t> sizes_of(std::size_t length, int segment, int flags = 0) {
    deliver(batch.prepare()[0], length, segment, flags);
    batch.take(1, counters);
    std::vector<std::size_t> sizes;
    for (const net::Datagram& datagram : batch.datagrams()) sizes.push_back(datagram.bytes.size());
    return sizes;
  }

  UdpCounters counters;
  ReceiveBatch batch;
};

TEST_F(ReceiveBatchTest, SplitsAMessageWhereTheKernelJoinedIt) {
  using Sizes = std::vector<std::size_t>;
  struct Row {
    std::size_t length;
    int segment;
    Sizes sizes;
  };
  const Row rows[] = {
      {0, 0, {0}},
      {1, 0, {1}},
      {1452, 0, {1452}},
      {1452, 1452, {1452}},
      {1453, 1452, {1452, 1}},
      {2904, 1452, {1452, 1452}},
      {3, 1, {1, 1, 1}},
      {100, 1452, {100}},
      {65536, 0, {65536}},
      {100, -1, {100}},
      {65536, 65535, {65535, 1}},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(testing::Message() << row.length << " in pieces of " << row.segment);
    EXPECT_EQ(sizes_of(row.length, row.segment), row.sizes);
  }
}

TEST_F(ReceiveBatchTest, TakesAsManyDatagramsAsItsMessagesCanHold) {
  for (const std::size_t extra : {0, 1, 2}) {
    SCOPED_TRACE(extra);
    UdpCounters fresh;
    const auto messages = batch.prepare();
    ASSERT_EQ(messages.size(), ReceiveBatch::kMaxMessages);
    for (mmsghdr& message : messages) deliver(message, 2 * kMaxPerMessage, 2);
    deliver(messages.back(), 2 * (kMaxPerMessage + extra), 2);
    batch.take(messages.size(), fresh);
    EXPECT_EQ(batch.datagrams().size(), ReceiveBatch::kMaxDatagrams);
    EXPECT_EQ(fresh.of(UdpCount::ReceiveTooMany), extra);
  }
}

TEST_F(ReceiveBatchTest, DropsAMessageThatDidNotFit) {
  EXPECT_TRUE(sizes_of(65536, 1452, MSG_TRUNC).empty());
  EXPECT_EQ(counters.of(UdpCount::ReceiveTruncated), 1u);
  EXPECT_TRUE(is_drop(UdpCount::ReceiveTruncated));
}

TEST_F(ReceiveBatchTest, SaysOnlyWhatItKnowsAboutThePath) {
  ASSERT_EQ(sizes_of(10, 0).size(), 1u);
  const net::PathAddress& path = *batch.datagrams()[0].path;
  EXPECT_EQ(path.remote.to_string(), "192.0.2.1:51820");
  EXPECT_TRUE(path.local.is_unspecified());
  EXPECT_EQ(path.interface, 0u);
}

TEST_F(ReceiveBatchTest, StartsEveryMessageOnACacheLineAndOnOneOfItsOwn) {
  std::vector<std::uintptr_t> lines;
  for (const mmsghdr& message : batch.prepare()) {
    const auto start = reinterpret_cast<std::uintptr_t>(message.msg_hdr.msg_iov[0].iov_base);
    EXPECT_EQ(start % 64, 0u);
    lines.push_back(start % 4096);  // Where in a typical L1 cache it falls.
  }
  std::sort(lines.begin(), lines.end());
  EXPECT_EQ(std::adjacent_find(lines.begin(), lines.end()), lines.end());
}

TEST(ReceiveBatch, HoldsAsManyMessagesAsItWasMadeFor) {
  for (const std::size_t messages : {std::size_t{1}, ReceiveBatch::kMaxMessages}) {
    EXPECT_EQ(ReceiveBatch(messages).prepare().size(), messages);
  }
  EXPECT_DEATH(ReceiveBatch(0), "messages >= 1");
  EXPECT_DEATH(ReceiveBatch(ReceiveBatch::kMaxMessages + 1), "messages <= kMaxMessages");
}

TEST(UdpReceive, ReportsNothingAndCountsWhenTheSystemFails) {
  FaultyUdpSystem system;
  const auto socket = bound({.address = address("127.0.0.1"), .system = &system});
  ReceiveBatch batch;
  for (const auto& [error, failures] : {std::pair(EAGAIN, 0u), {EINTR, 0u}, {ENOMEM, 1u}}) {
    SCOPED_TRACE(error);
    const std::uint64_t before = socket->counters().of(UdpCount::ReceiveFailed);
    system.receive = [](std::span<mmsghdr> messages) {
      deliver(messages[0], 10, 0);
      return 1;
    };
    EXPECT_EQ(socket->receive(batch), 1u);
    system.receive = [error](auto) { return -error; };
    EXPECT_EQ(socket->receive(batch), 0u);
    EXPECT_TRUE(batch.datagrams().empty());
    EXPECT_EQ(socket->counters().of(UdpCount::ReceiveFailed) - before, failures);
  }
}

TEST(UdpTraffic, AllocatesNothing) {
  const Namespace space;
  const Namespace::Inside inside(space);
  const auto receiver = bound("127.0.0.1");
  const auto sender = bound("127.0.0.1");
  net::PathAddress path = path_to("127.0.0.1", *receiver);
  path.local = address("127.0.0.1");
  Outgoing out(path);
  const auto datagrams = out.add_many(20, 1400, 2).add_many(20, 60).add(0).datagrams();
  ReceiveBatch batch;
  std::size_t received = 0;

  sender->send(datagrams);  // The first makes what the others use.
  while (received < datagrams.size()) received += receiver->receive(batch);
  const std::size_t before = allocation_count();
  for (int i = 1; i < 10; ++i) {
    sender->send(datagrams);
    while (const std::size_t count = receiver->receive(batch)) received += count;
  }
  const std::size_t after = allocation_count();

  EXPECT_EQ(received, 10 * datagrams.size());
  EXPECT_EQ(after, before);
  EXPECT_EQ(allocation_count() > 0, counts_allocations());
}

TEST(UdpTraffic, KeepsUnusedReceiveMemoryOutOfTheProcess) {
  const auto resident_pages = [] {
    std::size_t size = 0, resident = 0;
    std::FILE* const file = std::fopen("/proc/self/statm", "r");
    if (std::fscanf(file, "%zu %zu", &size, &resident) != 2) std::abort();
    std::fclose(file);
    return resident;
  };
  const std::size_t before = resident_pages();
  const std::array<ReceiveBatch, 16> batches;
  // Half leaves room for the shadow memory of sanitizers.
  EXPECT_LT(resident_pages(), before + batches.size() * ReceiveBatch::kMaxMessages *
                                           ReceiveBatch::kMessageBytes / 4096 / 2);
}

}  // namespace
}  // namespace ginnel::os

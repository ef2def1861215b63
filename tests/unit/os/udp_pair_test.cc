#include "os/udp_pair.h"

#include <errno.h>
#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstddef>
#include <map>
#include <set>

#include "test_network.h"
#include "udp_traffic.h"

namespace ginnel::os {
namespace {

class UdpPairTest : public testing::Test {
 protected:
  Namespace space_;
  Namespace::Inside inside_{space_};
};

// One pair. Aborts when there is none.
UdpPair pair_of(const UdpListenOptions& options) {
  auto pairs = UdpPair::bind(options);
  if (!pairs) {
    ADD_FAILURE() << pairs.error().message;
    std::abort();
  }
  return std::move(pairs->front());
}

TEST_F(UdpPairTest, HearsBothFamiliesOnOnePort) {
  for (const auto& any : {std::optional<net::Address>(), std::optional(address("0.0.0.0")),
                          std::optional(address("::"))}) {
    const UdpPair pair = pair_of({.address = any});
    ASSERT_NE(pair.v4(), nullptr);
    ASSERT_NE(pair.v6(), nullptr);
    EXPECT_NE(pair.port(), 0);
    EXPECT_EQ(pair.v4()->local_port(), pair.v6()->local_port());
    for (const char* const loopback : {"127.0.0.1", "::1"}) {
      UdpSocket& socket = *pair.of(address(loopback).family());
      const auto sender = bound(loopback);
      sender->send(Outgoing(path_to(loopback, socket)).add(3).datagrams());
      EXPECT_EQ(receive_all(socket, 1).size(), 1u);
    }
  }
}

TEST_F(UdpPairTest, HearsASpecificAddressOnly) {
  const UdpPair v4 = pair_of({.address = address("127.0.0.1"), .port = 51820});
  EXPECT_EQ(v4.v6(), nullptr);
  EXPECT_EQ(v4.port(), 51820);
  const UdpPair v6 = pair_of({.address = address("::1"), .port = 51820});
  EXPECT_EQ(v6.v4(), nullptr);
  EXPECT_EQ(v6.port(), 51820);
}

TEST_F(UdpPairTest, SendsEachDatagramInItsFamily) {
  UdpPair pair = pair_of({});
  const auto v4 = bound("127.0.0.1");
  const auto v6 = bound("::1");
  const net::PathAddress to_v4 = path_to("127.0.0.1", *v4), to_v6 = path_to("::1", *v6);
  Outgoing out(to_v4);
  out.add(1).add(1).add_to(to_v6, 2).add(3).add_to(to_v6, 4).add_to(to_v6, 4);
  pair.send(out.datagrams());
  EXPECT_EQ(receive_all(*v4, 3).size(), 3u);
  EXPECT_EQ(receive_all(*v6, 3).size(), 3u);
  EXPECT_EQ(pair.v4()->counters().of(UdpCount::SendWrongFamily), 0u);
}

TEST_F(UdpPairTest, CountsWhatItHasNoSocketFor) {
  UdpPair pair = pair_of({.address = address("127.0.0.1")});
  const auto v6 = bound("::1");
  pair.send(Outgoing(path_to("::1", *v6)).add_many(2, 9).datagrams());
  EXPECT_EQ(pair.v4()->counters().of(UdpCount::SendWrongFamily), 2u);
}

TEST_F(UdpPairTest, GivesEveryThreadTheDatagramsOfItsOwnEndpoints) {
  auto pairs = UdpPair::bind({.pairs = 3});
  ASSERT_TRUE(pairs) << pairs.error().message;
  ASSERT_EQ(pairs->size(), 3u);
  constexpr std::size_t kSenders = 60, kEach = 4;
  std::array<std::unique_ptr<UdpSocket>, kSenders> senders;
  for (auto& sender : senders) sender = bound("127.0.0.1");
  for (std::size_t i = 0; i < kEach; ++i) {
    for (const auto& sender : senders) {
      sender->send(Outgoing(path_to("127.0.0.1", *pairs->front().v4())).add(9).datagrams());
    }
  }

  std::map<std::uint16_t, std::size_t> thread_of;
  std::vector<std::size_t> count(3, 0);
  ReceiveBatch batch;
  for (std::size_t thread = 0; thread < 3; ++thread) {
    EXPECT_EQ((*pairs)[thread].port(), pairs->front().port());
    while ((*pairs)[thread].v4()->receive(batch) > 0) {
      for (const net::Datagram& datagram : batch.datagrams()) {
        ++count[thread];
        const auto known = thread_of.try_emplace(datagram.path->remote.port, thread).first;
        EXPECT_EQ(known->second, thread);
      }
    }
  }
  EXPECT_EQ(count[0] + count[1] + count[2], kSenders * kEach);
  for (const std::size_t share : count) EXPECT_GT(share, 0u);
}

constexpr SocketChoice kUpperHalfOfThird{.first = 4, .at = 3, .shift = 4};

// Which of `pairs` have received something, by the first byte of it.
std::vector<std::vector<std::uint8_t>> firsts_of(const std::vector<UdpPair>& pairs,
                                                 net::Family family) {
  std::vector<std::vector<std::uint8_t>> firsts;
  ReceiveBatch batch;
  for (const UdpPair& pair : pairs) {
    auto& here = firsts.emplace_back();
    while (pair.of(family)->receive(batch) > 0) {
      for (const net::Datagram& datagram : batch.datagrams()) here.push_back(datagram.bytes[0]);
    }
  }
  return firsts;
}

TEST_F(UdpPairTest, BringsDatagramsToTheSocketThatTheyName) {
  const auto pairs = UdpPair::bind({.pairs = 3, .choice = kUpperHalfOfThird});
  ASSERT_TRUE(pairs) << pairs.error().message;
  for (const char* const loopback : {"127.0.0.1", "::1"}) {
    SCOPED_TRACE(loopback);
    const net::Family family = address(loopback).family();
    for (std::uint8_t named = 0; named < 16; ++named) {
      std::vector<std::uint8_t> bytes{4, 0, 0, static_cast<std::uint8_t>(named << 4 | 9)};
      const auto sender = bound(loopback);
      const net::PathAddress path = path_to(loopback, *pairs->front().of(family));
      const net::Datagram datagram{.bytes = bytes, .path = &path};
      sender->send({&datagram, 1});
      const auto firsts = firsts_of(*pairs, family);
      for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(firsts[i].size(), i == named % 3u ? 1u : 0u);
    }
  }
}

TEST_F(UdpPairTest, SpreadsTheEndpointsOfDatagramsThatNameNoSocket) {
  const auto pairs = UdpPair::bind({.pairs = 3, .choice = kUpperHalfOfThird});
  ASSERT_TRUE(pairs) << pairs.error().message;
  constexpr std::size_t kSenders = 60;
  for (const std::vector<std::uint8_t>& bytes :
       {std::vector<std::uint8_t>{1, 0, 0, 0, 0}, std::vector<std::uint8_t>{4, 0, 0}}) {
    std::vector<std::unique_ptr<UdpSocket>> senders;
    for (std::size_t i = 0; i < kSenders; ++i) {
      senders.push_back(bound("127.0.0.1"));
      auto copy = bytes;
      const net::PathAddress path = path_to("127.0.0.1", *pairs->front().v4());
      const net::Datagram datagram{.bytes = copy, .path = &path};
      senders.back()->send({&datagram, 1});
    }
    std::size_t total = 0;
    for (const auto& here : firsts_of(*pairs, net::Family::V4)) {
      EXPECT_GT(here.size(), 0u);
      total += here.size();
    }
    EXPECT_EQ(total, kSenders);
  }
}

TEST_F(UdpPairTest, RefusesAPortThatAnotherServerShares) {
  const auto first = UdpPair::bind({.port = 51820, .pairs = 2});
  ASSERT_TRUE(first);
  for (const std::size_t pairs : {1, 2}) {
    const auto second = UdpPair::bind({.port = 51820, .pairs = pairs});
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, ErrorCode::AlreadyExists);
    EXPECT_NE(second.error().message.find("51820"), std::string::npos);
    EXPECT_NE(second.error().message.find(fmt::format("(process {})", getpid())), std::string::npos)
        << second.error().message;
  }
}

TEST_F(UdpPairTest, RefusesAPortThatIsTakenInTheOtherFamily) {
  const auto other = bound({.address = address("::1"), .port = 51820});
  const auto pairs = UdpPair::bind({.port = 51820});
  ASSERT_FALSE(pairs);
  EXPECT_NE(pairs.error().message.find("[::]:51820"), std::string::npos) << pairs.error().message;
}

TEST_F(UdpPairTest, LooksForAPortThatIsFreeInBothFamilies) {
  // Three ports to choose from, of which one is free in both families.
  Namespace::shell("sysctl -qw net.ipv4.ip_local_port_range='40000 40002'");
  const auto v6_only = bound({.address = address("::1"), .port = 40000});
  const auto v4_only = bound({.address = address("127.0.0.1"), .port = 40001});
  const UdpPair pair = pair_of({});
  EXPECT_EQ(pair.port(), 40002);
  ASSERT_NE(pair.v6(), nullptr);
}

TEST_F(UdpPairTest, GivesUpWhenNoPortIsFreeInBothFamilies) {
  Namespace::shell("sysctl -qw net.ipv4.ip_local_port_range='40000 40001'");
  const auto first = bound({.address = address("::1"), .port = 40000});
  const auto second = bound({.address = address("::1"), .port = 40001});
  const auto pairs = UdpPair::bind({});
  ASSERT_FALSE(pairs);
  EXPECT_EQ(pairs.error().code, ErrorCode::AlreadyExists);
}

TEST_F(UdpPairTest, SwitchesOffloadsByFamily) {
  for (const bool v4 : {true, false}) {
    const UdpPair pair = pair_of({.socket = {.gso = {v4, !v4}, .gro = {!v4, v4}}});
    EXPECT_EQ(pair.v4()->gso(), v4);
    EXPECT_EQ(pair.v6()->gso(), !v4);
    EXPECT_EQ(pair.v4()->gro(), !v4);
    EXPECT_EQ(pair.v6()->gro(), v4);
  }
}

TEST_F(UdpPairTest, SharesItsSocketsWithAThreadThatSends) {
  UdpPair pair = pair_of({.socket = {.fwmark = 5}});
  auto twin = pair.duplicate();
  ASSERT_TRUE(twin);
  EXPECT_EQ(twin->port(), pair.port());
  EXPECT_NE(twin->v4()->fd(), pair.v4()->fd());
  EXPECT_NE(twin->v6()->fd(), pair.v6()->fd());
  EXPECT_TRUE(twin->set_fwmark(6));
}

TEST_F(UdpPairTest, WorksWhereIpv6IsSwitchedOff) {
  Namespace::shell("sysctl -qw net.ipv6.conf.all.disable_ipv6=1");
  UdpPair pair = pair_of({});
  const auto receiver = bound("127.0.0.1");
  pair.send(Outgoing(path_to("127.0.0.1", *receiver)).add(1).datagrams());
  EXPECT_EQ(receive_all(*receiver, 1).size(), 1u);
}

// Makes a system call whose argument of this number is `value` fail from here on.
bool forbid(unsigned call, std::size_t argument, unsigned value, unsigned error) {
  const auto at = static_cast<unsigned>(offsetof(seccomp_data, args) + argument * 8);
  const sock_filter program[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 3),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, at),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog filter{.len = std::size(program), .filter = const_cast<sock_filter*>(program)};
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

// As a kernel without IPv6 does.
bool forbid_ipv6() { return forbid(SYS_socket, 0, AF_INET6, EAFNOSUPPORT); }

TEST_F(UdpPairTest, WorksOnAKernelWithoutIpv6) {
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    if (!forbid_ipv6()) _exit(2);
    const auto pairs = UdpPair::bind({});
    _exit(pairs && pairs->front().v4() != nullptr && pairs->front().v6() == nullptr ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

bool forbid_choice() { return forbid(SYS_setsockopt, 2, SO_ATTACH_REUSEPORT_CBPF, ENOPROTOOPT); }

TEST_F(UdpPairTest, SpreadsEndpointsWhereTheKernelDoesNotLetItChoose) {
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    if (!forbid_choice()) _exit(2);
    const auto pairs = UdpPair::bind({.pairs = 3, .choice = kUpperHalfOfThird});
    if (!pairs) _exit(3);
    std::vector<std::unique_ptr<UdpSocket>> senders;
    for (std::size_t i = 0; i < 60; ++i) {
      senders.push_back(bound("127.0.0.1"));
      std::array<std::uint8_t, 4> bytes{4, 0, 0, 0};
      const net::PathAddress path = path_to("127.0.0.1", *pairs->front().v4());
      const net::Datagram datagram{.bytes = bytes, .path = &path};
      senders.back()->send({&datagram, 1});
    }
    for (const auto& here : firsts_of(*pairs, net::Family::V4)) {
      if (here.empty()) _exit(4);
    }
    _exit(0);
  }
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

TEST(UdpPair, MakesBetweenOneAndItsMaximumOfPairs) {
  EXPECT_DEATH(pair_of({.pairs = 0}), "pairs >= 1");
  EXPECT_DEATH(pair_of({.pairs = UdpPair::kMaxPairs + 1}), "pairs <= kMaxPairs");
  const Namespace space;
  const Namespace::Inside inside(space);
  const auto most = UdpPair::bind({.pairs = UdpPair::kMaxPairs});
  ASSERT_TRUE(most) << most.error().message;
  EXPECT_EQ(most->size(), UdpPair::kMaxPairs);
}

}  // namespace
}  // namespace ginnel::os

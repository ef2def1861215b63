// Datagrams for UDP tests: made with contents that say where a byte came from, and collected.
#pragma once

#include <gtest/gtest.h>

#include <random>
#include <vector>

#include "os/clock.h"
#include "os/poller.h"
#include "os/udp_socket.h"

namespace ginnel::os {

// Datagrams back to back in one piece of memory, as sealing leaves them.
class Outgoing {
 public:
  explicit Outgoing(const net::PathAddress& path) : path_(path) {}

  Outgoing& add(std::size_t size, std::uint8_t ecn = 0) { return add_to(path_, size, ecn); }
  // REQUIRES: `path` outlives this.
  Outgoing& add_to(const net::PathAddress& path, std::size_t size, std::uint8_t ecn = 0) {
    slots_.push_back({memory_.size(), size, &path, ecn});
    for (std::size_t i = 0; i < size; ++i) memory_.push_back(static_cast<std::uint8_t>(random_()));
    return *this;
  }
  Outgoing& add_many(std::size_t count, std::size_t size, std::uint8_t ecn = 0) {
    for (std::size_t i = 0; i < count; ++i) add(size, ecn);
    return *this;
  }
  // Unused memory: what follows cannot share a stretch with what is before.
  Outgoing& add_gap() {
    memory_.push_back(0);
    return *this;
  }

  std::vector<net::Datagram> datagrams() {
    std::vector<net::Datagram> list;
    for (const Slot& slot : slots_) {
      list.push_back({ByteSpan(memory_).subspan(slot.at, slot.size), slot.path, slot.ecn});
    }
    return list;
  }

 private:
  struct Slot {
    std::size_t at, size;
    const net::PathAddress* path;
    std::uint8_t ecn;
  };

  net::PathAddress path_;
  std::mt19937 random_{7};
  std::vector<std::uint8_t> memory_;
  std::vector<Slot> slots_;
};

struct Received {
  std::vector<std::uint8_t> bytes;
  net::PathAddress path;
  std::uint8_t ecn;
};

// Waits until `count` datagrams have come, but not for ever.
inline std::vector<Received> receive_all(UdpSocket& socket, std::size_t count,
                                         ReceiveBatch& batch) {
  auto poller = Poller::create();
  if (!poller || !poller->add(socket.fd(), 0, Interest::Read)) std::abort();
  const MonoTime deadline = Clock().mono() + 10s;
  std::vector<Received> all;
  while (all.size() < count && Clock().mono() < deadline) {
    poller->wait_until(deadline);
    socket.receive(batch);
    for (const net::Datagram& d : batch.datagrams()) {
      all.push_back({{d.bytes.begin(), d.bytes.end()}, *d.path, d.ecn});
    }
  }
  return all;
}
inline std::vector<Received> receive_all(UdpSocket& socket, std::size_t count) {
  ReceiveBatch batch;
  return receive_all(socket, count, batch);
}

inline net::Address address(std::string_view text) { return net::Address::parse(text).value(); }

inline std::unique_ptr<UdpSocket> bound(const UdpOptions& options) {
  auto socket = UdpSocket::bind(options);
  if (!socket) {
    ADD_FAILURE() << socket.error().message;
    std::abort();
  }
  return std::move(*socket);
}
inline std::unique_ptr<UdpSocket> bound(std::string_view local) {
  return bound(UdpOptions{.address = address(local)});
}

inline net::PathAddress path_to(std::string_view remote, const UdpSocket& socket) {
  const net::Address there = address(remote);
  return {.remote = {there, socket.local_port()}, .local = net::Address::any(there.family())};
}

// What a socket counted, for the message of a failed expectation.
inline std::string counts_of(const UdpSocket& socket) {
  std::string text;
  for (std::size_t i = 0; i < static_cast<std::size_t>(UdpCount::kCount); ++i) {
    const std::uint64_t count = socket.counters().of(UdpCount(i));
    if (count != 0) text += fmt::format("{} {}; ", name_of(UdpCount(i)), count);
  }
  return text + fmt::format("overflows {}", socket.receive_overflows());
}

// Expects that `sent` arrived in order, byte for byte.
inline void expect_arrived(std::span<const net::Datagram> sent, UdpSocket& receiver) {
  const std::vector<Received> got = receive_all(receiver, sent.size());
  ASSERT_EQ(got.size(), sent.size());
  for (std::size_t i = 0; i < sent.size(); ++i) {
    SCOPED_TRACE(testing::Message() << "datagram " << i << " of " << sent[i].bytes.size());
    ASSERT_TRUE(std::equal(sent[i].bytes.begin(), sent[i].bytes.end(), got[i].bytes.begin(),
                           got[i].bytes.end()));
    ASSERT_EQ(got[i].ecn, sent[i].ecn);
  }
}

}  // namespace ginnel::os

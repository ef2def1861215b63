#include "os/receive_batch.h"

#include <netinet/udp.h>

#include "base/check.h"
#include "os/socket_address.h"
#include "os/udp_counters.h"

namespace ginnel::os {
namespace {

// Buffers a whole number of 64 KiB apart would compete for the same few lines of the L1 cache.
constexpr std::size_t kStagger = 256;
constexpr std::size_t kStride = ReceiveBatch::kMessageBytes + kStagger;
constexpr std::size_t kAlignment = 64;

// Packet information, traffic class and segment size, of the larger family.
constexpr std::size_t kControlBytes =
    CMSG_SPACE(sizeof(in6_pktinfo)) + CMSG_SPACE(sizeof(int)) + CMSG_SPACE(sizeof(int));

struct alignas(cmsghdr) Control {
  std::array<std::uint8_t, kControlBytes> bytes;
};

template <class T>
T value_of(const cmsghdr& control) {
  T value;
  std::memcpy(&value, CMSG_DATA(&control), sizeof value);
  return value;
}

// What came beside the bytes of a message.
struct Envelope {
  std::size_t segment = 0;  // 0: the message is one datagram.
  std::uint8_t ecn = 0;
};

Envelope open_envelope(msghdr& header, net::PathAddress& path) {
  Envelope envelope;
  for (cmsghdr* c = CMSG_FIRSTHDR(&header); c != nullptr; c = CMSG_NXTHDR(&header, c)) {
    if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
      const auto info = value_of<in_pktinfo>(*c);
      // The address to answer from; that of the header may be a broadcast address.
      path.local = from_in_addr(info.ipi_spec_dst);
      path.interface = static_cast<std::uint32_t>(info.ipi_ifindex);
    } else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
      const auto info = value_of<in6_pktinfo>(*c);
      path.local = from_in6_addr(info.ipi6_addr);
      path.interface = info.ipi6_ifindex;
    } else if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_TOS) {
      envelope.ecn = value_of<std::uint8_t>(*c) & 3;
    } else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_TCLASS) {
      envelope.ecn = static_cast<std::uint8_t>(value_of<int>(*c) & 3);
    } else if (c->cmsg_level == SOL_UDP && c->cmsg_type == UDP_GRO) {
      const int segment = value_of<int>(*c);
      envelope.segment = segment > 0 ? static_cast<std::size_t>(segment) : 0;
    }
  }
  return envelope;
}

}  // namespace

struct ReceiveBatch::Storage {
  std::size_t message_limit = 0;
  std::size_t message_count = 0;   // Taken from the last receive.
  std::size_t datagram_count = 0;  // Split out of them.
  std::array<mmsghdr, kMaxMessages> messages{};
  std::array<iovec, kMaxMessages> buffers{};
  std::array<SocketAddress, kMaxMessages> names{};
  std::array<Control, kMaxMessages> controls{};
  std::array<net::PathAddress, kMaxMessages> paths{};
  std::array<net::Datagram, kMaxDatagrams> datagrams{};
  std::unique_ptr<std::uint8_t[]> arena;
};

ReceiveBatch::ReceiveBatch(std::size_t messages) : storage_(std::make_unique<Storage>()) {
  CHECK(messages >= 1 && messages <= kMaxMessages);
  Storage& s = *storage_;
  s.message_limit = messages;
  std::size_t size = messages * kStride + kAlignment;
  s.arena = std::make_unique_for_overwrite<std::uint8_t[]>(size);
  void* start = s.arena.get();
  CHECK(std::align(kAlignment, messages * kStride, start, size) != nullptr);
  for (std::size_t i = 0; i < messages; ++i) {
    s.buffers[i] = {static_cast<std::uint8_t*>(start) + i * kStride, kMessageBytes};
    s.messages[i].msg_hdr.msg_iov = &s.buffers[i];
    s.messages[i].msg_hdr.msg_iovlen = 1;
    s.messages[i].msg_hdr.msg_name = &s.names[i];
    s.messages[i].msg_hdr.msg_control = &s.controls[i];
  }
}

ReceiveBatch::~ReceiveBatch() = default;

std::span<net::Datagram> ReceiveBatch::datagrams() {
  return {storage_->datagrams.data(), storage_->datagram_count};
}

std::span<const net::PathAddress> ReceiveBatch::paths() const {
  return {storage_->paths.data(), storage_->message_count};
}

void ReceiveBatch::clear() { storage_->message_count = storage_->datagram_count = 0; }

std::span<mmsghdr> ReceiveBatch::prepare(std::size_t limit) {
  clear();
  Storage& s = *storage_;
  limit = std::min(limit, s.message_limit);
  for (std::size_t i = 0; i < limit; ++i) {
    s.messages[i].msg_hdr.msg_namelen = sizeof(SocketAddress);
    s.messages[i].msg_hdr.msg_controllen = kControlBytes;
  }
  return {s.messages.data(), limit};
}

void ReceiveBatch::take(std::size_t count, UdpCounters& counters) {
  CHECK(count <= storage_->message_limit);
  for (std::size_t i = 0; i < count; ++i) take_message(i, counters);
  storage_->message_count = count;
  counters.add(UdpCount::Receives);
  counters.add(UdpCount::MessagesReceived, count);
  counters.add(UdpCount::DatagramsReceived, storage_->datagram_count);
}

void ReceiveBatch::take_message(std::size_t index, UdpCounters& counters) {
  Storage& s = *storage_;
  msghdr& header = s.messages[index].msg_hdr;
  const std::size_t length = s.messages[index].msg_len;
  net::PathAddress& path = s.paths[index];
  path.remote = from_socket_address(s.names[index]);
  path.local = net::Address::any(path.remote.address.family());
  path.interface = 0;
  const Envelope envelope = open_envelope(header, path);
  counters.add(UdpCount::BytesReceived, length);
  if ((header.msg_flags & MSG_TRUNC) != 0) return counters.add(UdpCount::ReceiveTruncated);

  std::uint8_t* const bytes = static_cast<std::uint8_t*>(s.buffers[index].iov_base);
  const std::size_t segment = envelope.segment == 0 ? length : envelope.segment;
  std::size_t at = 0;
  do {  // At least once: a datagram may be empty.
    if (s.datagram_count == kMaxDatagrams) {
      return counters.add(UdpCount::ReceiveTooMany, (length - at + segment - 1) / segment);
    }
    const std::size_t size = std::min(segment, length - at);
    s.datagrams[s.datagram_count++] = {{bytes + at, size}, &path, envelope.ecn};
    at += size;
  } while (at < length);
}

}  // namespace ginnel::os

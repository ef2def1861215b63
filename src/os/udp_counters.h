// What a UDP socket did and what it dropped. One thread counts, any thread reads.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string_view>

namespace ginnel::os {

enum class UdpCount : std::uint8_t {
  Receives,          // System calls that brought something.
  MessagesReceived,  // Datagrams that the kernel joined count as one.
  DatagramsReceived,
  BytesReceived,
  Sends,         // System calls.
  MessagesSent,  // Datagrams that we joined count as one.
  DatagramsSent,
  BytesSent,
  JoinedSendsRefused,  // By the kernel; their datagrams were sent one by one.
  SourcesGone,         // Sent from another address, because the remembered one is no more.

  // Each of the following counts datagrams that were lost.
  ReceiveTruncated,
  ReceiveTooMany,
  ReceiveFailed,    // System calls, as nothing is known about what was lost.
  SendBufferFull,   // EAGAIN: the link is slower than what we send.
  SendNoMemory,     // ENOBUFS, ENOMEM
  SendTooLarge,     // EMSGSIZE, and not because several were joined.
  SendForbidden,    // EPERM, EACCES: a firewall here, or a broadcast address.
  SendUnreachable,  // No route, or the link is down.
  SendWrongFamily,  // An IPv6 endpoint on an IPv4 socket, or the reverse.
  SendRefused,      // Anything else.
  kCount,
};

// The name of a counter in `show` and in metrics, like "udp_send_buffer_full".
std::string_view name_of(UdpCount count);
// Whether it counts datagrams that were lost.
constexpr bool is_drop(UdpCount count) { return count >= UdpCount::ReceiveTruncated; }

// The drop that a send which failed with this errno is counted as.
UdpCount send_drop_of(int error);

class UdpCounters {
 public:
  void add(UdpCount count, std::uint64_t number = 1) {
    // One writer, so no read-modify-write cycle is needed.
    std::atomic<std::uint64_t>& counter = counts_[static_cast<std::size_t>(count)];
    counter.store(counter.load(std::memory_order_relaxed) + number, std::memory_order_relaxed);
  }
  std::uint64_t of(UdpCount count) const {
    return counts_[static_cast<std::size_t>(count)].load(std::memory_order_relaxed);
  }

 private:
  std::array<std::atomic<std::uint64_t>, static_cast<std::size_t>(UdpCount::kCount)> counts_{};
};

}  // namespace ginnel::os

// The sending half of a UDP socket: joins datagrams into as few system calls as the kernel allows,
// and finds another way when it refuses. UdpSocket drives it.
#pragma once

#include <atomic>
#include <memory>
#include <span>
#include <string>

#include "net/datagram.h"
#include "os/send_lessons.h"
#include "os/udp_counters.h"
#include "os/udp_system.h"

namespace ginnel::os {

class UdpSender {
 public:
  // What one sendmmsg() carries at most.
  static constexpr std::size_t kMaxMessages = 64;
  static constexpr std::size_t kMaxPieces = 256;  // Stretches of memory, in all messages together.
  // What one UDP_SEGMENT send carries at most: UDP_MAX_SEGMENTS of kernels before 6.9, and what
  // fits an IPv4 packet.
  static constexpr std::size_t kMaxSegments = 64;
  static constexpr std::size_t kMaxMessageBytes = 65507;
  // Refusals of joined sends that the MTU does not explain, until they are given up.
  static constexpr unsigned kMaxUnexplainedRefusals = 2;

  struct Options {
    int fd = -1;  // Borrowed.
    net::Family family = net::Family::V4;
    bool gso = true;
    std::uint32_t fwmark = 0;
    std::string interface{};
  };

  // `system` and `counters` must outlive it.
  UdpSender(Options options, UdpSystem& system, UdpCounters& counters);
  ~UdpSender();
  UdpSender(const UdpSender&) = delete;
  UdpSender& operator=(const UdpSender&) = delete;

  void send(std::span<const net::Datagram> datagrams);
  // These datagrams arrived here, so their local addresses exist.
  void note_received(std::span<const net::PathAddress> paths);

  // Any thread may call these.
  bool gso() const { return gso_.load(std::memory_order_relaxed); }
  void set_fwmark(std::uint32_t fwmark) { fwmark_.store(fwmark, std::memory_order_relaxed); }

 private:
  struct Scratch;
  using Run = std::span<const net::Datagram>;  // What goes out as one message.
  struct Attempt {
    int error = 0;  // 0: sent.
    bool from_elsewhere = false;
  };

  std::size_t pack(std::span<const net::Datagram> datagrams);
  std::size_t take_run(std::span<const net::Datagram> datagrams);
  bool add_piece(ByteView bytes, std::size_t first_piece);
  bool transmit();
  int recover(Run run, int error);
  int send_one_by_one(Run run, int error);
  Attempt send_alone(const net::Datagram& datagram);
  int send_message(mmsghdr* message, unsigned count);
  void blame_segment_size(const net::Datagram& first);
  std::size_t max_segments_for(const net::Datagram& datagram);
  bool knows_source(const net::PathAddress& path);
  void count_sent(Run run);

  const Options options_;
  std::atomic<bool> gso_;  // Falls, never rises.
  std::atomic<std::uint32_t> fwmark_;
  UdpSystem& system_;
  UdpCounters& counters_;
  SegmentLimits limits_;
  GoneSources gone_;
  unsigned unexplained_refusals_ = 0;
  std::unique_ptr<Scratch> scratch_;  // Made by the first send: many sockets only receive.
};

}  // namespace ginnel::os

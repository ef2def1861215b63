// Joins inner packets of one flow into super-packets for a TUN device with offloads, by reference:
// no payload byte moves, only headers of first packets are edited. Packets are hostile input.
//
// The order within a flow is never changed; packets of different flows may pass each other inside
// one run, as they could on any network.
#pragma once

#include <array>

#include "net/ip_packet.h"
#include "net/virtio_header.h"

namespace ginnel::net {

// One write to the device: this header, then the pieces back to back.
struct TunWrite {
  VirtioHeader header;
  std::span<const ByteView> pieces;  // Into the packets of the run; valid until the next plan().
  std::size_t packets() const { return pieces.size(); }
};

class Coalescer {
 public:
  static constexpr std::size_t kMaxPackets = 256;  // In one run; below UIO_MAXIOV with the header.
  static constexpr std::size_t kMaxOpenFlows = 16;
  static constexpr std::size_t kMaxSuperPacketBytes = 65535;
  // What receivers with UDP_GRO reckon with; the kernel's own coalescing stops there, too.
  static constexpr std::size_t kMaxUdpSegments = 64;

  // Which kinds the device takes. A kind that is off passes as single packets.
  struct Kinds {
    bool tcp_v4 = true;
    bool tcp_v6 = true;
    bool udp = false;
  };

  explicit Coalescer(Kinds kinds) : kinds_(kinds) {}

  Kinds kinds() const { return kinds_; }
  void set_kinds(Kinds kinds) { kinds_ = kinds; }

  // Turns a run of packets into writes. Only packets whose checksums are right are joined: the
  // receiving kernel does not look at the checksums of a super-packet, and looks at all others.
  // What is not an IP packet is left out. REQUIRES: packets.size() <= kMaxPackets. The packets must
  // stay alive, and unchanged, as long as the writes are used.
  std::span<const TunWrite> plan(std::span<const ByteSpan> packets);

  // How many packets of the last run were not IP.
  std::size_t left_out() const { return left_out_; }

 private:
  using Index = std::uint16_t;

  // A packet of the run that belongs to a TCP or UDP flow.
  struct Segment {
    ByteSpan bytes;
    bool is_v4;
    std::uint8_t protocol;
    std::uint16_t ip_size;      // Of the IP header.
    std::uint16_t header_size;  // Of both headers; meaningless unless joinable.
    bool joinable;
    std::uint32_t hash;  // Of addresses, ports and protocol.

    std::size_t payload_size() const { return bytes.size() - header_size; }
    ByteSpan transport() const { return bytes.subspan(ip_size); }
    bool has_right_checksums() const;
  };

  // What becomes one write.
  struct Group {
    Segment first;
    Index last_packet;
    Index count;
    std::uint32_t total_bytes;
    bool checked;  // The first packet's checksums are known to be right.
    bool pushed;
  };

  struct OpenFlow {
    std::uint32_t hash;
    Index group;
  };

  void add(ByteSpan packet);
  Segment classify(const IpPacket& ip) const;
  void add_single(ByteSpan bytes);
  void add_group(const Segment& segment);
  bool join(Group& group, const Segment& segment);
  std::size_t find_flow(const Segment& segment) const;
  void close_flow(std::size_t flow);
  void close_flows_between(ByteView addresses);
  VirtioHeader finish(Group& group) const;

  Kinds kinds_;
  std::size_t left_out_ = 0;

  // The packets of the run by arrival: of the first of a group all bytes, of the others the
  // payload, and the number of the next in the same group.
  std::array<ByteView, kMaxPackets> bytes_;
  std::array<Index, kMaxPackets> next_;
  std::size_t packet_count_ = 0;

  std::array<Group, kMaxPackets> groups_;
  std::array<Index, kMaxPackets> first_packets_;  // By group.
  std::size_t group_count_ = 0;

  std::array<OpenFlow, kMaxOpenFlows> flows_;
  std::size_t flow_count_ = 0;
  std::size_t next_victim_ = 0;

  std::array<ByteView, kMaxPackets> pieces_;
  std::array<TunWrite, kMaxPackets> writes_;
};

}  // namespace ginnel::net

// Cuts what a TUN device with offloads hands out into packets that fit the tunnel, finishing the
// checksums that the kernel left open. The payload is read once: copied and summed in one pass.
#pragma once

#include "net/checksum.h"
#include "net/ip_packet.h"
#include "net/packet_batch.h"
#include "net/virtio_header.h"

namespace ginnel::net {

// Why a packet from the TUN device was dropped. Indexes counters.
enum class SegmentDrop : std::uint8_t {
  NotIp,        // Not an IP packet, or one that was cut off.
  BadOffload,   // The virtio header contradicts the packet.
  UnknownKind,  // A kind of super-packet that was never asked for.
  TooLong,      // A packet, or a segment of it, longer than PacketBatch holds.
  kCount,
};

// One super-packet at a time; resumable, because a batch may fill up in the middle of it.
class Segmenter {
 public:
  // Takes on one packet, which must stay as it is until next_into() has returned true. Whatever the
  // virtio header says, nothing outside `packet` is read.
  Result<void, SegmentDrop> begin(const VirtioHeader& header, ByteSpan packet);

  // Appends segments until the packet is used up (true) or the batch is full (false: call again
  // with an emptied batch). True, too, when there is nothing to do.
  bool next_into(PacketBatch& batch);

  bool pending() const { return kind_ != Kind::Nothing; }

 private:
  enum class Kind : std::uint8_t { Nothing, Plain, Checksum, Tcp, Udp };

  Result<void, SegmentDrop> begin_checksum(const VirtioHeader& header, const IpPacket& ip);
  Result<void, SegmentDrop> begin_segments(const VirtioHeader& header, const IpPacket& ip);
  bool has_transport(const IpPacket& ip, std::uint8_t protocol) const;
  void sum_headers(const VirtioHeader& header, const IpPacket& ip);
  bool append_whole(PacketBatch& batch);
  bool append_segment(PacketBatch& batch);
  void finish_ip(ByteSpan segment);
  void finish_tcp(ByteSpan segment, InternetSum sum, bool is_last) const;
  void finish_udp(ByteSpan segment, InternetSum sum) const;

  Kind kind_ = Kind::Nothing;
  std::uint8_t ecn_ = 0;
  ByteView packet_;
  std::size_t transport_ = 0;  // Where the checksummed part, or the transport header, starts.
  std::size_t checksum_ = 0;   // Where the checksum stands.
  // Of a super-packet only:
  std::size_t headers_ = 0;       // Bytes that every segment repeats.
  std::size_t segment_size_ = 0;  // Payload of each segment but the last.
  std::size_t position_ = 0;      // Of the payload that the next segment carries.
  std::uint16_t identification_ = 0;
  InternetSum ip_sum_;         // Of the IPv4 header but total length, identification, checksum.
  InternetSum transport_sum_;  // Of pseudo and transport header but what differs by segment.
};

}  // namespace ginnel::net

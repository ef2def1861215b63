// The header that a TUN device puts before every packet when offloads are on: what the kernel left
// undone on the way out, and what it need not do on the way in (virtio 1.2, section 5.1.6). Values
// only, so that segmenter and coalescer build anywhere.
#pragma once

#include <cstdint>

namespace ginnel::net {

// In the byte order of the machine, as a TUN device has it unless asked otherwise.
struct VirtioHeader {
  // Flags. The checksum from `csum_start` on is still to be made; its field holds the sum of the
  // pseudo header.
  static constexpr std::uint8_t kNeedsChecksum = 1;
  static constexpr std::uint8_t kDataValid = 2;  // The checksum was verified.

  // What kind of super-packet this is. kEcn is or-ed in when a TCP segment carries CWR.
  static constexpr std::uint8_t kNone = 0;
  static constexpr std::uint8_t kTcpV4 = 1;
  static constexpr std::uint8_t kTcpV6 = 4;
  static constexpr std::uint8_t kUdp = 5;
  static constexpr std::uint8_t kEcn = 0x80;

  std::uint8_t flags = 0;
  std::uint8_t gso_type = kNone;
  std::uint16_t header_length = 0;    // IP and transport header. Only a hint on the way out.
  std::uint16_t segment_size = 0;     // Payload bytes of every segment but the last.
  std::uint16_t checksum_start = 0;   // From the start of the packet.
  std::uint16_t checksum_offset = 0;  // From `checksum_start`.

  friend bool operator==(const VirtioHeader&, const VirtioHeader&) = default;
};
static_assert(sizeof(VirtioHeader) == 10);

}  // namespace ginnel::net

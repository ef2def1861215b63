// The fixed parts of IPv4, IPv6, TCP and UDP headers as they stand on the wire. Read and written
// with memcpy; alignment 1.
#pragma once

#include "base/bytes.h"

namespace ginnel::net {

inline constexpr std::uint8_t kProtocolTcp = 6;
inline constexpr std::uint8_t kProtocolUdp = 17;

struct Ipv4Header {
  std::uint8_t version_and_length;  // The length in units of four bytes.
  std::uint8_t traffic_class;
  Be16 total_length;
  Be16 identification;
  Be16 fragment;  // Three flags, then the offset.
  std::uint8_t time_to_live;
  std::uint8_t protocol;
  Be16 checksum;
  std::array<std::uint8_t, 4> source;
  std::array<std::uint8_t, 4> destination;

  static constexpr std::uint16_t kMoreFragmentsAndOffset = 0x3fff;
};
static_assert(sizeof(Ipv4Header) == 20 && alignof(Ipv4Header) == 1);

struct Ipv6Header {
  Be32 version_class_and_flow;
  Be16 payload_length;
  std::uint8_t next_header;
  std::uint8_t hop_limit;
  std::array<std::uint8_t, 16> source;
  std::array<std::uint8_t, 16> destination;
};
static_assert(sizeof(Ipv6Header) == 40 && alignof(Ipv6Header) == 1);

struct TcpHeader {
  Be16 source_port;
  Be16 destination_port;
  Be32 sequence;
  Be32 acknowledgement;
  std::uint8_t data_offset;  // In units of four bytes, in the upper half.
  std::uint8_t flags;
  Be16 window;
  Be16 checksum;
  Be16 urgent;

  static constexpr std::uint8_t kFin = 0x01;
  static constexpr std::uint8_t kPsh = 0x08;
  static constexpr std::uint8_t kAck = 0x10;
  static constexpr std::uint8_t kEce = 0x40;
  static constexpr std::uint8_t kCwr = 0x80;
};
static_assert(sizeof(TcpHeader) == 20 && alignof(TcpHeader) == 1);

struct UdpHeader {
  Be16 source_port;
  Be16 destination_port;
  Be16 length;
  Be16 checksum;
};
static_assert(sizeof(UdpHeader) == 8 && alignof(UdpHeader) == 1);

// REQUIRES: bytes.size() >= sizeof(Header).
template <class Header>
Header read_header(ByteView bytes) {
  Header header;
  std::memcpy(&header, bytes.data(), sizeof header);
  return header;
}
template <class Header>
void write_header(ByteSpan bytes, const Header& header) {
  std::memcpy(bytes.data(), &header, sizeof header);
}

}  // namespace ginnel::net

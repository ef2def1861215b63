// Builds inner packets for tests and checks them with the slowest, plainest code possible, so that
// nothing here can share a mistake with what it tests.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

#include "base/bytes.h"

namespace ginnel::net::testing {

using Bytes = std::vector<std::uint8_t>;

inline void put16(Bytes& out, std::size_t at, std::size_t value) {
  out[at] = static_cast<std::uint8_t>(value >> 8);
  out[at + 1] = static_cast<std::uint8_t>(value);
}
inline void put32(Bytes& out, std::size_t at, std::uint32_t value) {
  put16(out, at, value >> 16);
  put16(out, at + 2, value & 0xffff);
}
inline unsigned get16(ByteView bytes, std::size_t at) { return bytes[at] * 256u + bytes[at + 1]; }
inline std::uint32_t get32(ByteView bytes, std::size_t at) {
  return get16(bytes, at) * 65536u + get16(bytes, at + 2);
}

// RFC 1071, word by word.
inline unsigned plain_sum(ByteView bytes, unsigned sum = 0) {
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    sum += i % 2 == 0 ? bytes[i] * 256u : bytes[i];
    sum = (sum & 0xffff) + (sum >> 16);
  }
  return sum;
}

// What a packet is made of. IPv6 when `v6`; `udp` or TCP; addresses end in the given octets.
struct PacketSpec {
  bool v6 = false;
  bool udp = false;
  std::uint8_t network = 0;  // 10.NETWORK.0.0/24, fdNETWORK::/64 (in hexadecimal).
  std::uint8_t source = 1;
  std::uint8_t destination = 2;
  std::uint16_t source_port = 1000;
  std::uint16_t destination_port = 2000;
  std::uint32_t sequence = 5000;
  std::uint32_t acknowledgement = 77;
  std::uint8_t flags = 0x10;  // ACK
  std::uint16_t window = 512;
  std::uint8_t traffic_class = 0;
  std::uint8_t hop_limit = 64;
  std::uint16_t identification = 1;
  std::uint16_t fragment = 0x4000;  // DF
  Bytes ip_options = {};            // IPv4 only; a multiple of four.
  Bytes tcp_options = {};           // A multiple of four.
  Bytes payload = {};

  std::size_t ip_size() const { return v6 ? 40 : 20 + ip_options.size(); }
  std::size_t header_size() const { return ip_size() + (udp ? 8 : 20 + tcp_options.size()); }
};

inline unsigned plain_pseudo_sum(ByteView packet, std::size_t transport, unsigned protocol) {
  const bool v6 = packet[0] >> 4 == 6;
  const unsigned sum = v6 ? plain_sum(packet.subspan(8, 32)) : plain_sum(packet.subspan(12, 8));
  const std::size_t length = packet.size() - transport;
  Bytes rest(4);
  put16(rest, 0, protocol);
  put16(rest, 2, length);
  return plain_sum(rest, sum);
}

inline void put_ip_header(Bytes& packet, const PacketSpec& spec) {
  if (spec.v6) {
    packet[0] = static_cast<std::uint8_t>(0x60 | spec.traffic_class >> 4);
    packet[1] = static_cast<std::uint8_t>(spec.traffic_class << 4);
    put16(packet, 4, packet.size() - 40);
    packet[6] = spec.udp ? 17 : 6;
    packet[7] = spec.hop_limit;
    packet[8] = packet[24] = 0xfd;
    packet[9] = packet[25] = spec.network;
    packet[23] = spec.source;
    packet[39] = spec.destination;
    return;
  }
  packet[0] = static_cast<std::uint8_t>(0x40 | spec.ip_size() / 4);
  packet[1] = spec.traffic_class;
  put16(packet, 2, packet.size());
  put16(packet, 4, spec.identification);
  put16(packet, 6, spec.fragment);
  packet[8] = spec.hop_limit;
  packet[9] = spec.udp ? 17 : 6;
  packet[12] = packet[16] = 10;
  packet[13] = packet[17] = spec.network;
  packet[15] = spec.source;
  packet[19] = spec.destination;
  std::copy(spec.ip_options.begin(), spec.ip_options.end(), packet.begin() + 20);
  put16(packet, 10, plain_sum(ByteView(packet).first(spec.ip_size())) ^ 0xffff);
}

// A whole packet with right lengths and checksums. `open_checksum` leaves the transport checksum as
// the kernel does with NEEDS_CSUM: the pseudo header's sum only.
inline Bytes build(const PacketSpec& spec, bool open_checksum = false) {
  Bytes packet(spec.header_size() + spec.payload.size());
  put_ip_header(packet, spec);
  const std::size_t at = spec.ip_size();
  put16(packet, at, spec.source_port);
  put16(packet, at + 2, spec.destination_port);
  if (spec.udp) {
    put16(packet, at + 4, 8 + spec.payload.size());
  } else {
    put32(packet, at + 4, spec.sequence);
    put32(packet, at + 8, spec.acknowledgement);
    packet[at + 12] = static_cast<std::uint8_t>((20 + spec.tcp_options.size()) / 4 << 4);
    packet[at + 13] = spec.flags;
    put16(packet, at + 14, spec.window);
    std::copy(spec.tcp_options.begin(), spec.tcp_options.end(),
              packet.begin() + static_cast<std::ptrdiff_t>(at) + 20);
  }
  std::copy(spec.payload.begin(), spec.payload.end(),
            packet.begin() + static_cast<std::ptrdiff_t>(spec.header_size()));
  const std::size_t field = at + (spec.udp ? 6 : 16);
  const unsigned pseudo = plain_pseudo_sum(packet, at, spec.udp ? 17 : 6);
  unsigned checksum = plain_sum(ByteView(packet).subspan(at), pseudo) ^ 0xffff;
  if (spec.udp && checksum == 0) checksum = 0xffff;
  put16(packet, field, open_checksum ? pseudo : checksum);
  return packet;
}

inline Bytes random_bytes(std::mt19937& random, std::size_t size) {
  Bytes bytes(size);
  for (std::size_t i = 0; i < size; i += 4) {
    const auto word = static_cast<std::uint32_t>(random());
    std::memcpy(&bytes[i], &word, std::min<std::size_t>(4, size - i));
  }
  return bytes;
}

// Whether lengths and all checksums of an inner packet (plain IPv4 or IPv6, TCP or UDP) are right.
inline ::testing::AssertionResult is_sound(ByteView packet) {
  const auto bad = [](const char* what) { return ::testing::AssertionFailure() << what; };
  if (packet.empty()) return bad("empty");
  const bool v6 = packet[0] >> 4 == 6;
  const std::size_t at = v6 ? 40 : packet[0] % 16u * 4;
  if (packet.size() < at) return bad("short");
  if (v6 && get16(packet, 4) != packet.size() - 40) return bad("IPv6 payload length");
  if (!v6 && get16(packet, 2) != packet.size()) return bad("IPv4 total length");
  if (!v6 && plain_sum(packet.first(at)) != 0xffff) return bad("IPv4 header checksum");
  const unsigned protocol = packet[v6 ? 6 : 9];
  if (protocol == 17 && get16(packet, at + 4) != packet.size() - at) return bad("UDP length");
  if (protocol == 17 && get16(packet, at + 6) == 0) return bad("UDP checksum missing");
  const unsigned pseudo = plain_pseudo_sum(packet, at, protocol);
  if (plain_sum(packet.subspan(at), pseudo) != 0xffff) return bad("transport checksum");
  return ::testing::AssertionSuccess();
}

}  // namespace ginnel::net::testing

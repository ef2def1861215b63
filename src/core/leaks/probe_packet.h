// The packets that attacks send, as bytes: whole IP packets, their frames, and the mark in the
// payload by which they are known again on the wire. Reads frames of anyone.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/bytes.h"
#include "net/endpoint.h"

namespace ginnel::leaks {

using Bytes = std::vector<std::uint8_t>;
using MacAddress = std::array<std::uint8_t, 6>;

inline constexpr std::uint16_t kEtherIpv4 = 0x0800;
inline constexpr std::uint16_t kEtherArp = 0x0806;
inline constexpr std::uint16_t kEtherIpv6 = 0x86dd;
inline constexpr std::size_t kEthernetBytes = 14;

// Which attack sent it, and when. `run` tells runs beside each other apart.
struct ProbeTag {
  std::uint64_t run = 0;
  std::uint16_t attack = 0;
  std::uint16_t phase = 0;
  friend bool operator==(const ProbeTag&, const ProbeTag&) = default;
};

// The payload of a probe, and where it stands in a frame: also when an ICMP error quotes it, or an
// echo answers with it.
Bytes to_payload(const ProbeTag& tag);
std::optional<ProbeTag> find_tag(ByteView frame, std::uint64_t run);

enum class ProbeProtocol : std::uint8_t { Udp, Tcp, Echo };  // A TCP one is a SYN.

struct ProbePacket {
  ProbeProtocol protocol = ProbeProtocol::Udp;
  net::Address source{};
  net::Address destination{};  // Of the source's family.
  std::uint16_t source_port = 0;
  std::uint16_t destination_port = 0;
  std::uint8_t hop_limit = 64;
};

// From the IP header to the end of the payload, checksums included.
Bytes to_bytes(const ProbePacket& packet, ByteView payload);

Bytes ethernet_frame(const MacAddress& to, const MacAddress& from, std::uint16_t type,
                     ByteView payload);
// "Who has `asked`? Tell `asker`."
Bytes arp_question(const MacAddress& from, const net::Address& asker, const net::Address& asked);
// Whose address an ARP frame's sender says is his, if it answers a question.
std::optional<net::Address> arp_answer(ByteView frame);

}  // namespace ginnel::leaks

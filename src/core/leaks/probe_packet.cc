#include "core/leaks/probe_packet.h"

#include <algorithm>

#include "net/checksum.h"
#include "net/header_layout.h"

namespace ginnel::leaks {
namespace {

constexpr std::array<std::uint8_t, 12> kSignature = {'g', 'i', 'n', 'n', 'e', 'l',
                                                     '-', 'l', 'e', 'a', 'k', '.'};
constexpr std::size_t kTagBytes = kSignature.size() + 8 + 2 + 2;

constexpr std::uint8_t kProtocolIcmp = 1;
constexpr std::uint8_t kProtocolIcmp6 = 58;
constexpr std::uint8_t kEchoRequest = 8;
constexpr std::uint8_t kEchoRequest6 = 128;
constexpr std::size_t kIcmpBytes = 8;
constexpr std::uint8_t kSyn = 0x02;
constexpr std::uint8_t kTcpOffset = 5 << 4;

constexpr std::uint16_t kArpQuestion = 1;
constexpr std::uint16_t kArpAnswer = 2;
constexpr std::size_t kArpBytes = 28;
constexpr MacAddress kEveryone = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

template <class T>
void append_wire(Bytes& bytes, const T& value) {
  const ByteView view = bytes_of(value);
  bytes.insert(bytes.end(), view.begin(), view.end());
}
void append(Bytes& bytes, ByteView view) { bytes.insert(bytes.end(), view.begin(), view.end()); }

std::uint8_t number_of(ProbeProtocol protocol, net::Family family) {
  switch (protocol) {
    case ProbeProtocol::Udp:
      return net::kProtocolUdp;
    case ProbeProtocol::Tcp:
      return net::kProtocolTcp;
    case ProbeProtocol::Echo:
      return family == net::Family::V4 ? kProtocolIcmp : kProtocolIcmp6;
  }
  std::unreachable();
}

// The transport header, and where its checksum stands.
std::size_t append_transport(const ProbePacket& packet, std::size_t payload_size, Bytes& bytes) {
  switch (packet.protocol) {
    case ProbeProtocol::Udp:
      append_wire(bytes, net::UdpHeader{.source_port = Be16(packet.source_port),
                                        .destination_port = Be16(packet.destination_port),
                                        .length = Be16(static_cast<std::uint16_t>(
                                            sizeof(net::UdpHeader) + payload_size)),
                                        .checksum = Be16(0)});
      return offsetof(net::UdpHeader, checksum);
    case ProbeProtocol::Tcp:
      append_wire(bytes, net::TcpHeader{.source_port = Be16(packet.source_port),
                                        .destination_port = Be16(packet.destination_port),
                                        .sequence = Be32(1),
                                        .acknowledgement = Be32(0),
                                        .data_offset = kTcpOffset,
                                        .flags = kSyn,
                                        .window = Be16(1024),
                                        .checksum = Be16(0),
                                        .urgent = Be16(0)});
      return offsetof(net::TcpHeader, checksum);
    case ProbeProtocol::Echo: {
      std::array<std::uint8_t, kIcmpBytes> header{};
      header[0] = packet.source.is_v4() ? kEchoRequest : kEchoRequest6;
      store<Be16>(ByteSpan(header).subspan(4), packet.source_port);
      append(bytes, ByteView(header));
      return 2;
    }
  }
  std::unreachable();
}

Bytes ip_header(const ProbePacket& packet, std::uint8_t protocol, std::size_t payload_size) {
  Bytes bytes;
  if (packet.source.is_v4()) {
    net::Ipv4Header header{};
    header.version_and_length = 0x45;
    header.total_length.set(static_cast<std::uint16_t>(sizeof header + payload_size));
    header.time_to_live = packet.hop_limit;
    header.protocol = protocol;
    std::ranges::copy(packet.source.bytes(), header.source.begin());
    std::ranges::copy(packet.destination.bytes(), header.destination.begin());
    append_wire(bytes, header);
    net::InternetSum sum;
    sum.add(bytes);
    sum.store_checksum(&bytes[offsetof(net::Ipv4Header, checksum)]);
    return bytes;
  }
  net::Ipv6Header header{};
  header.version_class_and_flow.set(6u << 28);
  header.payload_length.set(static_cast<std::uint16_t>(payload_size));
  header.next_header = protocol;
  header.hop_limit = packet.hop_limit;
  std::ranges::copy(packet.source.bytes(), header.source.begin());
  std::ranges::copy(packet.destination.bytes(), header.destination.begin());
  append_wire(bytes, header);
  return bytes;
}

}  // namespace

Bytes to_payload(const ProbeTag& tag) {
  Bytes bytes;
  append_wire(bytes, kSignature);
  append_wire(bytes, Be64(tag.run));
  append_wire(bytes, Be16(tag.attack));
  append_wire(bytes, Be16(tag.phase));
  return bytes;
}

std::optional<ProbeTag> find_tag(ByteView frame, std::uint64_t run) {
  Bytes wanted;
  append_wire(wanted, kSignature);
  append_wire(wanted, Be64(run));
  const auto found = std::ranges::search(frame, wanted);
  const auto at = static_cast<std::size_t>(found.begin() - frame.begin());
  if (found.empty() || frame.size() - at < kTagBytes) return std::nullopt;
  const ByteView rest = frame.subspan(at + wanted.size());
  return ProbeTag{.run = run, .attack = load<Be16>(rest), .phase = load<Be16>(rest.subspan(2))};
}

Bytes to_bytes(const ProbePacket& packet, ByteView payload) {
  const std::uint8_t protocol = number_of(packet.protocol, packet.source.family());
  Bytes transport;
  const std::size_t checksum_at = append_transport(packet, payload.size(), transport);
  append(transport, payload);
  Bytes bytes = ip_header(packet, protocol, transport.size());
  net::InternetSum sum;
  if (protocol != kProtocolIcmp) {
    Bytes addresses;
    append(addresses, packet.source.bytes());
    append(addresses, packet.destination.bytes());
    sum = net::pseudo_header(addresses, protocol, transport.size());
  }
  sum.add(transport);
  sum.store_nonzero_checksum(&transport[checksum_at]);
  append(bytes, transport);
  return bytes;
}

Bytes ethernet_frame(const MacAddress& to, const MacAddress& from, std::uint16_t type,
                     ByteView payload) {
  Bytes frame;
  append(frame, ByteView(to));
  append(frame, ByteView(from));
  append_wire(frame, Be16(type));
  append(frame, payload);
  return frame;
}

Bytes arp_question(const MacAddress& from, const net::Address& asker, const net::Address& asked) {
  Bytes arp;
  append_wire(arp, Be16(1));  // Ethernet.
  append_wire(arp, Be16(kEtherIpv4));
  arp.push_back(sizeof(MacAddress));
  arp.push_back(4);
  append_wire(arp, Be16(kArpQuestion));
  append(arp, ByteView(from));
  append(arp, asker.bytes());
  append(arp, ByteView(MacAddress{}));
  append(arp, asked.bytes());
  return ethernet_frame(kEveryone, from, kEtherArp, arp);
}

std::optional<net::Address> arp_answer(ByteView frame) {
  if (frame.size() < kEthernetBytes + kArpBytes) return std::nullopt;
  if (load<Be16>(frame.subspan(12)) != kEtherArp) return std::nullopt;
  const ByteView arp = frame.subspan(kEthernetBytes);
  if (load<Be16>(arp.subspan(2)) != kEtherIpv4 || arp[4] != sizeof(MacAddress) || arp[5] != 4 ||
      load<Be16>(arp.subspan(6)) != kArpAnswer) {
    return std::nullopt;
  }
  return net::Address::from_bytes(arp.subspan(14, 4));
}

}  // namespace ginnel::leaks

#include "net/coalescer.h"

#include <algorithm>
#include <cstddef>

#include "base/check.h"
#include "net/checksum.h"

namespace ginnel::net {
namespace {

constexpr std::size_t kPortsSize = 4;
// Enough of either transport header to know the flow and whether it is complete.
constexpr std::size_t kMinTransport = sizeof(UdpHeader);

ByteView addresses_in(ByteView packet, bool is_v4) {
  return is_v4 ? packet.subspan(offsetof(Ipv4Header, source), 8)
               : packet.subspan(offsetof(Ipv6Header, source), 32);
}

// Spreads flows over the 32-bit tags of the flow table. An attacker who makes two flows collide
// gains nothing: equal tags only mean that the bytes are compared.
std::uint32_t hash_flow(ByteView addresses, ByteView ports, std::uint8_t protocol) {
  constexpr std::uint64_t kMultiplier = 0x9e3779b97f4a7c15;
  std::uint64_t hash = load<Be32>(ports) + (std::uint64_t{protocol} << 32);
  for (std::size_t i = 0; i < addresses.size(); i += 8) {
    hash = (hash ^ load<Le64>(addresses.subspan(i))) * kMultiplier;
    hash ^= hash >> 29;
  }
  return static_cast<std::uint32_t>(hash >> 16);
}

bool equal(ByteView a, ByteView b) { return std::memcmp(a.data(), b.data(), a.size()) == 0; }

// Everything in an IP header that all segments of a super-packet share: all but lengths, IPv4
// identification and IPv4 checksum. REQUIRES: same family, header size and addresses.
bool equal_ip_headers(ByteView a, ByteView b, bool is_v4, std::size_t size) {
  if (!is_v4) return equal(a.first(4), b.first(4)) && equal(a.subspan(6, 2), b.subspan(6, 2));
  return equal(a.first(2), b.first(2)) && equal(a.subspan(6, 4), b.subspan(6, 4)) &&
         equal(a.subspan(sizeof(Ipv4Header), size - sizeof(Ipv4Header)),
               b.subspan(sizeof(Ipv4Header), size - sizeof(Ipv4Header)));
}

// The same of a TCP header: all but sequence, checksum and PSH. REQUIRES: same size and ports.
bool equal_tcp_headers(ByteView a, ByteView b, std::size_t size) {
  const auto x = read_header<TcpHeader>(a);
  const auto y = read_header<TcpHeader>(b);
  const unsigned flags = x.flags ^ y.flags;
  return x.acknowledgement.get() == y.acknowledgement.get() && x.data_offset == y.data_offset &&
         (flags & ~unsigned{TcpHeader::kPsh}) == 0 && x.window.get() == y.window.get() &&
         equal(a.subspan(sizeof(TcpHeader), size - sizeof(TcpHeader)),
               b.subspan(sizeof(TcpHeader), size - sizeof(TcpHeader)));
}

bool has_push(ByteView tcp) { return (tcp[offsetof(TcpHeader, flags)] & TcpHeader::kPsh) != 0; }

}  // namespace

std::span<const TunWrite> Coalescer::plan(std::span<const ByteSpan> packets) {
  CHECK(packets.size() <= kMaxPackets);
  packet_count_ = group_count_ = flow_count_ = left_out_ = 0;
  for (const ByteSpan packet : packets) add(packet);

  std::size_t piece = 0;
  for (std::size_t g = 0; g < group_count_; ++g) {
    Group& group = groups_[g];
    writes_[g].header = group.count > 1 ? finish(group) : VirtioHeader{};
    writes_[g].pieces = std::span(pieces_).subspan(piece, group.count);
    Index packet = first_packets_[g];
    for (Index n = 0; n < group.count; ++n, packet = next_[packet]) {
      pieces_[piece++] = bytes_[packet];
    }
  }
  return std::span(writes_).first(group_count_);
}

void Coalescer::add(ByteSpan packet) {
  const auto ip = IpPacket::parse(packet);
  if (!ip) {
    ++left_out_;
    return;
  }
  const bool has_flow = (ip->protocol() == kProtocolTcp || ip->protocol() == kProtocolUdp) &&
                        !ip->is_fragment() && ip->payload().size() >= kMinTransport;
  if (!has_flow) {
    // It may belong to any flow between the two hosts, and must not be overtaken by later packets.
    close_flows_between(ip->addresses());
    add_single(ip->bytes());
    return;
  }
  const Segment segment = classify(*ip);
  const std::size_t flow = find_flow(segment);
  if (flow < flow_count_) {
    Group& group = groups_[flows_[flow].group];
    if (segment.joinable && join(group, segment)) {
      const bool full = segment.payload_size() < group.first.payload_size() || group.pushed;
      if (full) close_flow(flow);
      return;
    }
    close_flow(flow);
  }
  add_group(segment);
}

Coalescer::Segment Coalescer::classify(const IpPacket& ip) const {
  const ByteSpan transport = ip.payload();
  Segment segment{.bytes = ip.bytes(),
                  .is_v4 = ip.is_v4(),
                  .protocol = ip.protocol(),
                  .ip_size = static_cast<std::uint16_t>(ip.header_size()),
                  .header_size = 0,
                  .joinable = false,
                  .hash = hash_flow(ip.addresses(), transport.first(kPortsSize), ip.protocol())};
  std::size_t size = sizeof(UdpHeader);
  if (segment.protocol == kProtocolUdp) {
    const auto udp = read_header<UdpHeader>(transport);
    // Without a checksum there is nothing that the kernel could be told to complete.
    segment.joinable =
        kinds_.udp && udp.length.get() == transport.size() && udp.checksum.get() != 0;
  } else if (transport.size() >= sizeof(TcpHeader)) {
    const auto tcp = read_header<TcpHeader>(transport);
    constexpr unsigned kMayDiffer = TcpHeader::kPsh | TcpHeader::kEce;
    size = std::size_t{tcp.data_offset} / 16 * 4;
    segment.joinable = (segment.is_v4 ? kinds_.tcp_v4 : kinds_.tcp_v6) &&
                       (tcp.flags & ~kMayDiffer) == TcpHeader::kAck && size >= sizeof(TcpHeader);
  }
  segment.joinable &= size < transport.size();  // Without payload there is nothing to join.
  segment.header_size = static_cast<std::uint16_t>(segment.ip_size + size);
  return segment;
}

void Coalescer::add_single(ByteSpan bytes) {
  add_group({.bytes = bytes,
             .is_v4 = false,
             .protocol = 0,
             .ip_size = 0,
             .header_size = 0,
             .joinable = false,
             .hash = 0});
}

// Starts a group, and opens the flow when more may follow.
void Coalescer::add_group(const Segment& segment) {
  const auto packet = static_cast<Index>(packet_count_++);
  const auto group = static_cast<Index>(group_count_++);
  bytes_[packet] = segment.bytes;
  first_packets_[group] = packet;
  groups_[group] = {.first = segment,
                    .last_packet = packet,
                    .count = 1,
                    .total_bytes = static_cast<std::uint32_t>(segment.bytes.size()),
                    .checked = false,
                    .pushed = false};
  if (!segment.joinable) return;
  if (segment.protocol == kProtocolTcp && has_push(segment.transport())) return;
  std::size_t flow = flow_count_;
  if (flow_count_ < kMaxOpenFlows) {
    ++flow_count_;
  } else {
    flow = next_victim_++ % kMaxOpenFlows;
  }
  flows_[flow] = {.hash = segment.hash, .group = group};
}

// The sender's packet may have been damaged before it was sealed; to join it would hide that from
// its receiver.
bool Coalescer::Segment::has_right_checksums() const {
  InternetSum sum = pseudo_header(addresses_in(bytes, is_v4), protocol, transport().size());
  sum.add(transport());
  if (!sum.is_valid() || !is_v4) return sum.is_valid();
  InternetSum header;
  header.add(bytes.first(ip_size));
  return header.is_valid();
}

// Appends `segment`, of the same flow, if a super-packet can express it.
bool Coalescer::join(Group& group, const Segment& segment) {
  const Segment& first = group.first;
  const std::size_t payload = segment.payload_size();
  if (segment.header_size != first.header_size || segment.ip_size != first.ip_size) return false;
  if (payload > first.payload_size()) return false;
  if (group.total_bytes + payload > kMaxSuperPacketBytes) return false;
  if (!equal_ip_headers(first.bytes, segment.bytes, first.is_v4, first.ip_size)) return false;
  const bool tcp = first.protocol == kProtocolTcp;
  if (tcp) {
    const auto sequence = load<Be32>(first.transport().subspan(offsetof(TcpHeader, sequence)));
    const auto wanted =
        static_cast<std::uint32_t>(sequence + group.total_bytes - first.header_size);
    if (load<Be32>(segment.transport().subspan(offsetof(TcpHeader, sequence))) != wanted ||
        !equal_tcp_headers(first.transport(), segment.transport(),
                           std::size_t{first.header_size} - first.ip_size)) {
      return false;
    }
  } else if (group.count >= kMaxUdpSegments) {
    return false;
  }
  if (!group.checked) group.checked = first.has_right_checksums();
  if (!group.checked || !segment.has_right_checksums()) return false;

  const auto packet = static_cast<Index>(packet_count_++);
  bytes_[packet] = segment.bytes.subspan(segment.header_size);
  next_[group.last_packet] = packet;
  group.last_packet = packet;
  ++group.count;
  group.total_bytes += static_cast<std::uint32_t>(payload);
  group.pushed = tcp && has_push(segment.transport());
  return true;
}

// The open flow of a segment; flow_count_ if there is none.
std::size_t Coalescer::find_flow(const Segment& segment) const {
  for (std::size_t i = 0; i < flow_count_; ++i) {
    if (flows_[i].hash != segment.hash) continue;
    const Segment& other = groups_[flows_[i].group].first;
    if (other.is_v4 == segment.is_v4 && other.protocol == segment.protocol &&
        equal(addresses_in(other.bytes, other.is_v4), addresses_in(segment.bytes, segment.is_v4)) &&
        equal(other.transport().first(kPortsSize), segment.transport().first(kPortsSize))) {
      return i;
    }
  }
  return flow_count_;
}

void Coalescer::close_flow(std::size_t flow) { flows_[flow] = flows_[--flow_count_]; }

void Coalescer::close_flows_between(ByteView addresses) {
  for (std::size_t i = flow_count_; i-- > 0;) {
    const Segment& first = groups_[flows_[i].group].first;
    const ByteView others = addresses_in(first.bytes, first.is_v4);
    if (others.size() == addresses.size() && equal(others, addresses)) close_flow(i);
  }
}

// Makes the first packet's headers those of the whole group.
VirtioHeader Coalescer::finish(Group& group) const {
  const Segment& first = group.first;
  const ByteSpan bytes = first.bytes;
  const ByteSpan transport = first.transport();
  const std::size_t length = group.total_bytes - first.ip_size;
  const bool tcp = first.protocol == kProtocolTcp;

  if (first.is_v4) {
    const ByteSpan field = bytes.subspan(offsetof(Ipv4Header, total_length));
    const auto before = load<Be16>(field);
    const auto after = static_cast<std::uint16_t>(group.total_bytes);
    store<Be16>(field, after);
    update_checksum(&bytes[offsetof(Ipv4Header, checksum)], before, after);
  } else {
    store<Be16>(bytes.subspan(offsetof(Ipv6Header, payload_length)),
                static_cast<std::uint16_t>(length));
  }
  if (tcp) {
    if (group.pushed) transport[offsetof(TcpHeader, flags)] |= TcpHeader::kPsh;
  } else {
    store<Be16>(transport.subspan(offsetof(UdpHeader, length)), static_cast<std::uint16_t>(length));
  }
  const std::size_t offset = tcp ? offsetof(TcpHeader, checksum) : offsetof(UdpHeader, checksum);
  pseudo_header(addresses_in(bytes, first.is_v4), first.protocol, length)
      .store_sum(&transport[offset]);

  std::uint8_t type = VirtioHeader::kUdp;
  if (tcp) type = first.is_v4 ? VirtioHeader::kTcpV4 : VirtioHeader::kTcpV6;
  return {.flags = VirtioHeader::kNeedsChecksum,
          .gso_type = type,
          .header_length = first.header_size,
          .segment_size = static_cast<std::uint16_t>(first.payload_size()),
          .checksum_start = first.ip_size,
          .checksum_offset = static_cast<std::uint16_t>(offset)};
}

}  // namespace ginnel::net

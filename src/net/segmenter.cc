#include "net/segmenter.h"

#include <algorithm>
#include <cstddef>

namespace ginnel::net {
namespace {

constexpr std::size_t kMaxTcpHeader = 60;

}  // namespace

Result<void, SegmentDrop> Segmenter::begin(const VirtioHeader& header, ByteSpan packet) {
  kind_ = Kind::Nothing;
  const auto ip = IpPacket::parse(packet);
  if (!ip) return std::unexpected(SegmentDrop::NotIp);
  packet_ = ip->bytes();
  ecn_ = ip->ecn();
  if (header.gso_type != VirtioHeader::kNone) return begin_segments(header, *ip);
  if (packet_.size() > PacketBatch::kMaxPacketBytes) return std::unexpected(SegmentDrop::TooLong);
  if ((header.flags & VirtioHeader::kNeedsChecksum) != 0) return begin_checksum(header, *ip);
  kind_ = Kind::Plain;
  return {};
}

Result<void, SegmentDrop> Segmenter::begin_checksum(const VirtioHeader& header,
                                                    const IpPacket& ip) {
  transport_ = header.checksum_start;
  checksum_ = transport_ + header.checksum_offset;
  // An odd offset would add the bytes of the field in the wrong order.
  if (transport_ < ip.header_size() || checksum_ + 2 > packet_.size() ||
      header.checksum_offset % 2 != 0) {
    return std::unexpected(SegmentDrop::BadOffload);
  }
  kind_ = Kind::Checksum;
  return {};
}

Result<void, SegmentDrop> Segmenter::begin_segments(const VirtioHeader& header,
                                                    const IpPacket& ip) {
  const unsigned type = header.gso_type & ~unsigned{VirtioHeader::kEcn};
  Kind kind = Kind::Udp;
  if (type == VirtioHeader::kTcpV4 || type == VirtioHeader::kTcpV6) {
    if (ip.is_v4() != (type == VirtioHeader::kTcpV4)) {
      return std::unexpected(SegmentDrop::BadOffload);
    }
    kind = Kind::Tcp;
  } else if (type != VirtioHeader::kUdp) {
    return std::unexpected(SegmentDrop::UnknownKind);
  }
  // Without an open checksum the kernel says nothing about where the transport header is.
  const bool open_checksum = (header.flags & VirtioHeader::kNeedsChecksum) != 0;
  transport_ = open_checksum ? header.checksum_start : ip.header_size();
  const bool tcp = kind == Kind::Tcp;
  const std::size_t offset = tcp ? offsetof(TcpHeader, checksum) : offsetof(UdpHeader, checksum);
  const std::size_t fixed = tcp ? sizeof(TcpHeader) : sizeof(UdpHeader);
  if (!has_transport(ip, tcp ? kProtocolTcp : kProtocolUdp) || header.segment_size == 0 ||
      (open_checksum && header.checksum_offset != offset) || transport_ + fixed > packet_.size()) {
    return std::unexpected(SegmentDrop::BadOffload);
  }
  checksum_ = transport_ + offset;
  // header.header_length is not looked at: for a forwarded packet it can be any length.
  const std::size_t transport_size =
      tcp ? std::size_t{packet_[transport_ + offsetof(TcpHeader, data_offset)]} / 16 * 4 : fixed;
  headers_ = transport_ + transport_size;
  if (transport_size < fixed || headers_ > packet_.size()) {
    return std::unexpected(SegmentDrop::BadOffload);
  }
  segment_size_ = header.segment_size;
  position_ = headers_;
  if (headers_ + std::min(segment_size_, packet_.size() - headers_) >
      PacketBatch::kMaxPacketBytes) {
    return std::unexpected(SegmentDrop::TooLong);
  }
  kind_ = kind;
  sum_headers(header, ip);
  return {};
}

// Whether `transport_` may be the start of a header of `protocol`. Between an IPv6 header and its
// transport there may be extension headers, which every segment repeats unread.
bool Segmenter::has_transport(const IpPacket& ip, std::uint8_t protocol) const {
  if (transport_ == ip.header_size()) return ip.protocol() == protocol && !ip.is_fragment();
  return !ip.is_v4() && transport_ > ip.header_size();
}

// Sums once what all segments share.
void Segmenter::sum_headers(const VirtioHeader& header, const IpPacket& ip) {
  if (ip.is_v4()) {
    std::array<std::uint8_t, 60> bytes;
    std::memcpy(bytes.data(), packet_.data(), ip.header_size());
    auto fixed = read_header<Ipv4Header>(bytes);
    identification_ = fixed.identification.get();
    fixed.total_length.set(0);
    fixed.identification.set(0);
    fixed.checksum.set(0);
    write_header(bytes, fixed);
    ip_sum_ = {};
    ip_sum_.add(ByteView(bytes).first(ip.header_size()));
  }
  if ((header.flags & VirtioHeader::kNeedsChecksum) != 0) {
    // The field holds the pseudo header's sum, also where a routing header changes the destination
    // that belongs into it. Only the length has to come out again.
    transport_sum_ = {};
    transport_sum_.add(packet_.subspan(checksum_, 2));
    transport_sum_.subtract_number(static_cast<std::uint16_t>(packet_.size() - transport_));
  } else {
    const std::uint8_t protocol = kind_ == Kind::Tcp ? kProtocolTcp : kProtocolUdp;
    transport_sum_ = pseudo_header(ip.addresses(), protocol, 0);
  }
  std::array<std::uint8_t, kMaxTcpHeader> bytes;
  const std::size_t size = headers_ - transport_;
  std::memcpy(bytes.data(), &packet_[transport_], size);
  if (kind_ == Kind::Tcp) {
    auto tcp = read_header<TcpHeader>(bytes);
    tcp.sequence.set(0);
    tcp.flags = 0;
    tcp.checksum.set(0);
    write_header(bytes, tcp);
  } else {
    auto udp = read_header<UdpHeader>(bytes);
    udp.length.set(0);
    udp.checksum.set(0);
    write_header(bytes, udp);
  }
  transport_sum_.add(ByteView(bytes).first(size));
}

bool Segmenter::next_into(PacketBatch& batch) {
  switch (kind_) {
    case Kind::Nothing:
      return true;
    case Kind::Plain:
    case Kind::Checksum:
      if (!append_whole(batch)) return false;
      break;
    case Kind::Tcp:
    case Kind::Udp:
      do {
        if (!append_segment(batch)) return false;
      } while (position_ < packet_.size());
      break;
  }
  kind_ = Kind::Nothing;
  return true;
}

bool Segmenter::append_whole(PacketBatch& batch) {
  const ByteSpan out = batch.append(packet_.size());
  if (out.empty()) return false;
  batch.set_ecn(batch.size() - 1, ecn_);
  if (kind_ == Kind::Plain) {
    std::memcpy(out.data(), packet_.data(), packet_.size());
    return true;
  }
  std::memcpy(out.data(), packet_.data(), transport_);
  InternetSum sum;
  sum.add_copying(packet_.subspan(transport_), &out[transport_]);
  sum.store_nonzero_checksum(&out[checksum_]);
  return true;
}

bool Segmenter::append_segment(PacketBatch& batch) {
  const std::size_t size = std::min(segment_size_, packet_.size() - position_);
  const ByteSpan out = batch.append(headers_ + size);
  if (out.empty()) return false;
  batch.set_ecn(batch.size() - 1, ecn_);
  std::memcpy(out.data(), packet_.data(), headers_);
  finish_ip(out);
  InternetSum sum = transport_sum_;
  if (size != 0) sum.add_copying(packet_.subspan(position_, size), &out[headers_]);
  sum.add_number(static_cast<std::uint16_t>(out.size() - transport_));
  if (kind_ == Kind::Tcp) {
    finish_tcp(out, sum, position_ + size == packet_.size());
  } else {
    finish_udp(out, sum);
  }
  position_ += size;
  return true;
}

void Segmenter::finish_ip(ByteSpan segment) {
  const auto size = static_cast<std::uint16_t>(segment.size());
  if (segment[0] >> 4 == 6) {
    store<Be16>(segment.subspan(offsetof(Ipv6Header, payload_length)),
                static_cast<std::uint16_t>(size - sizeof(Ipv6Header)));
    return;
  }
  store<Be16>(segment.subspan(offsetof(Ipv4Header, total_length)), size);
  store<Be16>(segment.subspan(offsetof(Ipv4Header, identification)), identification_);
  InternetSum sum = ip_sum_;
  sum.add_number(size);
  sum.add_number(identification_);
  sum.store_checksum(&segment[offsetof(Ipv4Header, checksum)]);
  ++identification_;
}

void Segmenter::finish_tcp(ByteSpan segment, InternetSum sum, bool is_last) const {
  const auto before = static_cast<std::uint32_t>(position_ - headers_);
  const ByteSpan tcp = segment.subspan(transport_);
  // What ends or pushes the stream belongs to its last byte; CWR answers once (RFC 3168, 6.1.2).
  unsigned flags = tcp[offsetof(TcpHeader, flags)];
  if (!is_last) flags &= ~unsigned{TcpHeader::kFin | TcpHeader::kPsh};
  if (before != 0) flags &= ~unsigned{TcpHeader::kCwr};
  tcp[offsetof(TcpHeader, flags)] = static_cast<std::uint8_t>(flags);
  sum.add_number(static_cast<std::uint16_t>(flags));

  const ByteSpan sequence = tcp.subspan(offsetof(TcpHeader, sequence));
  const std::uint32_t number = load<Be32>(sequence) + before;
  store<Be32>(sequence, number);
  sum.add_number32(number);
  sum.store_nonzero_checksum(&tcp[offsetof(TcpHeader, checksum)]);
}

void Segmenter::finish_udp(ByteSpan segment, InternetSum sum) const {
  const ByteSpan udp = segment.subspan(transport_);
  const auto length = static_cast<std::uint16_t>(udp.size());
  store<Be16>(udp.subspan(offsetof(UdpHeader, length)), length);
  sum.add_number(length);
  sum.store_nonzero_checksum(&udp[offsetof(UdpHeader, checksum)]);
}

}  // namespace ginnel::net

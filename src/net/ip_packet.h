// A bounded view of one IP packet. Everything here may come from an attacker: nothing outside the
// buffer is read, and the fast parts are inline because every packet passes them twice.
#pragma once

#include "net/address.h"
#include "net/header_layout.h"

namespace ginnel::net {

// Why bytes are not an IP packet.
enum class IpFault : std::uint8_t {
  TooShort,         // Shorter than the fixed header.
  UnknownVersion,   // Neither 4 nor 6.
  BadHeaderLength,  // An IPv4 header that claims to be shorter than 20 bytes.
  Truncated,        // The packet says it is longer than the bytes that are there.
  kCount,
};

class IpPacket {
 public:
  // A packet may be shorter than its buffer: what pads it is cut off. The view borrows `buffer`.
  static Result<IpPacket, IpFault> parse(ByteSpan buffer);

  ByteSpan bytes() const { return bytes_; }
  Family family() const { return is_v4() ? Family::V4 : Family::V6; }
  bool is_v4() const { return bytes_[0] >> 4 == 4; }
  // Of an IPv6 packet the fixed header only; extension headers belong to the payload here.
  std::size_t header_size() const { return header_size_; }
  ByteSpan payload() const { return bytes_.subspan(header_size_); }
  // Of an IPv6 packet the first next header.
  std::uint8_t protocol() const { return bytes_[is_v4() ? 9 : 6]; }

  // Source and destination, back to back as in the header.
  ByteView addresses() const {
    return is_v4() ? ByteView(bytes_).subspan(12, 8) : ByteView(bytes_).subspan(8, 32);
  }
  Address source() const { return address_at(is_v4() ? 12 : 8); }
  Address destination() const { return address_at(is_v4() ? 16 : 24); }

  // An IPv4 fragment. IPv6 fragments show as protocol 44.
  bool is_fragment() const {
    return is_v4() && (load<Be16>(bytes_.subspan(6)) & Ipv4Header::kMoreFragmentsAndOffset) != 0;
  }
  bool has_valid_header_checksum() const;  // Always true of IPv6, which has none.

  // The two bits of RFC 3168. Setting them corrects the IPv4 header checksum.
  std::uint8_t ecn() const { return is_v4() ? bytes_[1] & 3 : bytes_[1] >> 4 & 3; }
  void set_ecn(std::uint8_t ecn) const;

 private:
  IpPacket(ByteSpan bytes, std::size_t header_size) : bytes_(bytes), header_size_(header_size) {}

  Address address_at(std::size_t offset) const {
    if (is_v4()) {
      std::array<std::uint8_t, 4> bytes;
      std::memcpy(bytes.data(), &bytes_[offset], bytes.size());
      return Address::v4(bytes);
    }
    std::array<std::uint8_t, 16> bytes;
    std::memcpy(bytes.data(), &bytes_[offset], bytes.size());
    return Address::v6(bytes);
  }

  ByteSpan bytes_;
  std::size_t header_size_;
};

inline Result<IpPacket, IpFault> IpPacket::parse(ByteSpan buffer) {
  if (buffer.empty()) return std::unexpected(IpFault::TooShort);
  const unsigned version = buffer[0] >> 4;
  if (version == 4) {
    if (buffer.size() < sizeof(Ipv4Header)) return std::unexpected(IpFault::TooShort);
    const std::size_t header_size = std::size_t{buffer[0] & 15u} * 4;
    const std::size_t total = load<Be16>(buffer.subspan(2));
    if (header_size < sizeof(Ipv4Header)) return std::unexpected(IpFault::BadHeaderLength);
    if (total < header_size || total > buffer.size()) return std::unexpected(IpFault::Truncated);
    return IpPacket(buffer.first(total), header_size);
  }
  if (version == 6) {
    if (buffer.size() < sizeof(Ipv6Header)) return std::unexpected(IpFault::TooShort);
    const std::size_t total = sizeof(Ipv6Header) + load<Be16>(buffer.subspan(4));
    if (total > buffer.size()) return std::unexpected(IpFault::Truncated);
    return IpPacket(buffer.first(total), sizeof(Ipv6Header));
  }
  return std::unexpected(IpFault::UnknownVersion);
}

}  // namespace ginnel::net

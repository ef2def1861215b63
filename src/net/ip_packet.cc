#include "net/ip_packet.h"

#include "net/checksum.h"

namespace ginnel::net {

bool IpPacket::has_valid_header_checksum() const {
  if (!is_v4()) return true;
  InternetSum sum;
  sum.add(bytes_.first(header_size_));
  return sum.is_valid();
}

void IpPacket::set_ecn(std::uint8_t ecn) const {
  const auto before = load<Be16>(bytes_);
  if (is_v4()) {
    bytes_[1] = static_cast<std::uint8_t>((bytes_[1] & ~3u) | (ecn & 3u));
    update_checksum(&bytes_[10], before, load<Be16>(bytes_));
  } else {
    bytes_[1] = static_cast<std::uint8_t>((bytes_[1] & ~0x30u) | (ecn & 3u) << 4);
  }
}

}  // namespace ginnel::net

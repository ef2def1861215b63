// The internet checksum (RFC 1071), alone or on the way of a copy. Sums are kept in the byte order
// of memory, which one's complement arithmetic allows: nothing is swapped per word.
#pragma once

#include "base/bytes.h"

namespace ginnel::net {

// A one's complement sum in the making. Pieces follow each other as if they were one run of bytes,
// so every piece but the last must have an even size.
class InternetSum {
 public:
  void add(ByteView bytes) { add_folded(sum_of(bytes)); }
  // Adds `from` and copies it to `to` in the same pass. REQUIRES: `to` has room; no overlap.
  void add_copying(ByteView from, std::uint8_t* to) { add_folded(copy_and_sum(from, to)); }
  // Adds a number of the kind that pseudo headers hold: length, protocol. Host order.
  void add_number(std::uint16_t number) { add_folded(in_memory_order(number)); }
  void add_number32(std::uint32_t number) {
    add_number(static_cast<std::uint16_t>(number >> 16));
    add_number(static_cast<std::uint16_t>(number));
  }
  // Takes a number out again that add_number() put in.
  void subtract_number(std::uint16_t number) { add_number(static_cast<std::uint16_t>(~number)); }

  // The sum itself, as a checksum field holds it that the next one is to complete (NEEDS_CSUM).
  void store_sum(std::uint8_t* at) const {
    const std::uint16_t sum = folded();
    std::memcpy(at, &sum, sizeof sum);
  }
  // Its complement: a finished IPv4, TCP or ICMP checksum.
  void store_checksum(std::uint8_t* at) const {
    const auto checksum = static_cast<std::uint16_t>(~folded());
    std::memcpy(at, &checksum, sizeof checksum);
  }
  // The same, but never zero, which in UDP says "no checksum". For TCP both forms are equal.
  void store_nonzero_checksum(std::uint8_t* at) const {
    auto checksum = static_cast<std::uint16_t>(~folded());
    if (checksum == 0) checksum = 0xffff;
    std::memcpy(at, &checksum, sizeof checksum);
  }
  // Whether bytes that include their own checksum are as they were when it was made.
  bool is_valid() const { return folded() == 0xffff; }

  std::uint16_t folded() const {
    std::uint64_t sum = (sum_ >> 32) + (sum_ & 0xffffffff);
    sum = (sum >> 16) + (sum & 0xffff);
    sum = (sum >> 16) + (sum & 0xffff);
    return static_cast<std::uint16_t>((sum >> 16) + (sum & 0xffff));
  }

 private:
  static std::uint64_t sum_of(ByteView bytes);
  static std::uint64_t copy_and_sum(ByteView from, std::uint8_t* to);
  static std::uint16_t in_memory_order(std::uint16_t number) {
    return std::endian::native == std::endian::big ? number : std::byteswap(number);
  }
  void add_folded(std::uint64_t value) {
    sum_ += value;
    sum_ += sum_ < value ? 1 : 0;  // The carry comes round.
  }

  std::uint64_t sum_ = 0;
};

// The start of a TCP or UDP checksum: `addresses` is source and destination, back to back as they
// stand in the IP header; `length` counts the transport header and what follows.
InternetSum pseudo_header(ByteView addresses, std::uint8_t protocol, std::size_t length);

// Corrects the checksum at `checksum` for a 16-bit word of its bytes that changed (RFC 1624).
void update_checksum(std::uint8_t* checksum, std::uint16_t before, std::uint16_t after);

}  // namespace ginnel::net

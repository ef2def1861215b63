// Inner packets on their way out, laid out so that sealing turns them in place into WireGuard
// transport datagrams: equal sizes stand back to back, ready for one UDP_SEGMENT send.
//
//   |16 header|packet|zeros|16 tag||16 header|packet|zeros|16 tag|...
//
// os::TunDevice fills it, a data worker seals it. Nothing is allocated after construction.
#pragma once

#include <algorithm>
#include <array>
#include <memory>

#include "base/bytes.h"
#include "base/check.h"

namespace ginnel::net {

inline constexpr unsigned kDefaultMtu = 1420;

class PacketBatch {
 public:
  static constexpr std::size_t kHeadroom = 16;  // Transport header: type, receiver, counter.
  static constexpr std::size_t kTagroom = 16;   // Poly1305 tag.
  static constexpr std::size_t kPaddingMultiple = 16;
  static constexpr std::size_t kMaxPacketBytes = 65535;  // What an IPv4 total length can say.
  static constexpr std::size_t kMaxPackets = 128;
  // Holds kMaxPackets of any MTU that fits Ethernet (1500 + 32 <= 1536), and two of the largest
  // packets IP knows. More would fall out of a 256 KiB L2 cache between copying and sealing.
  static constexpr std::size_t kArenaBytes = kMaxPackets * 1536;

  explicit PacketBatch(unsigned mtu = kDefaultMtu)
      : mtu_(mtu), arena_(std::make_unique_for_overwrite<std::uint8_t[]>(kArenaBytes)) {}

  unsigned mtu() const { return mtu_; }
  // For packets appended from here on.
  void set_mtu(unsigned mtu) { mtu_ = mtu; }

  bool empty() const { return count_ == 0; }
  std::size_t size() const { return count_; }
  void clear() { count_ = end_ = 0; }

  // Whether append(length) would succeed.
  bool fits(std::size_t length) const {
    return count_ < kMaxPackets && length <= kMaxPacketBytes &&
           end_ + kHeadroom + padded_size(length) + kTagroom <= kArenaBytes;
  }

  // Adds a packet and returns its bytes for the caller to write; the padding behind them is already
  // zero. Empty when full. A packet of no bytes (a keepalive) is legal: ask fits() first then.
  ByteSpan append(std::size_t length) {
    if (!fits(length)) return {};
    const std::size_t padded = padded_size(length);
    Slot& slot = slots_[count_++];
    slot = {.offset = static_cast<std::uint32_t>(end_),
            .length = static_cast<std::uint32_t>(length),
            .padded = static_cast<std::uint32_t>(padded),
            .ecn = 0};
    end_ += kHeadroom + padded + kTagroom;
    std::uint8_t* const bytes = &arena_[slot.offset + kHeadroom];
    std::fill(bytes + length, bytes + padded, std::uint8_t{0});
    return {bytes, length};
  }

  // The views stay valid until clear(). REQUIRES: index < size(), for all of them.
  ByteSpan packet(std::size_t index) {
    return {&arena_[slot(index).offset + kHeadroom], slot(index).length};
  }
  // The packet and its padding: what is encrypted.
  ByteSpan padded(std::size_t index) {
    return {&arena_[slot(index).offset + kHeadroom], slot(index).padded};
  }
  // From the transport header to the tag: what goes into a UDP datagram.
  ByteSpan datagram(std::size_t index) {
    return {&arena_[slot(index).offset], kHeadroom + slot(index).padded + kTagroom};
  }

  // The ECN bits of the packet's own IP header, which the outer header repeats (RFC 6040).
  std::uint8_t ecn(std::size_t index) const { return slot(index).ecn; }
  void set_ecn(std::size_t index, std::uint8_t ecn) {
    CHECK(index < count_);
    slots_[index].ecn = ecn & 3;
  }

  // Padding hides the exact length, but must not make a packet larger than the MTU, which the path
  // was sized for (whitepaper, section 5.4.6). A packet beyond the MTU is left alone.
  std::size_t padded_size(std::size_t length) const {
    const std::size_t rounded =
        (length + kPaddingMultiple - 1) / kPaddingMultiple * kPaddingMultiple;
    return std::max(length, std::min<std::size_t>(rounded, mtu_));
  }

 private:
  struct Slot {
    std::uint32_t offset;  // Of the datagram in the arena.
    std::uint32_t length;
    std::uint32_t padded;
    std::uint8_t ecn;
  };

  const Slot& slot(std::size_t index) const {
    CHECK(index < count_);
    return slots_[index];
  }

  unsigned mtu_;
  std::unique_ptr<std::uint8_t[]> arena_;
  std::array<Slot, kMaxPackets> slots_;
  std::size_t count_ = 0;
  std::size_t end_ = 0;  // Of the last datagram.
};

static_assert(PacketBatch::kArenaBytes >= PacketBatch::kHeadroom + PacketBatch::kMaxPacketBytes +
                                              PacketBatch::kPaddingMultiple +
                                              PacketBatch::kTagroom);

}  // namespace ginnel::net

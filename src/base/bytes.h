// Byte views, and integers as they stand on the wire. Wire structs are made of these, so their
// alignment is 1 and one memcpy reads them.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

namespace ginnel {

using ByteView = std::span<const std::uint8_t>;
using ByteSpan = std::span<std::uint8_t>;

// An unsigned integer stored in a fixed byte order, at any alignment.
template <class T, std::endian kOrder>
class WireInt {
 public:
  WireInt() = default;
  explicit WireInt(T value) { set(value); }

  T get() const {
    T value;
    std::memcpy(&value, bytes_.data(), sizeof value);
    return kOrder == std::endian::native ? value : std::byteswap(value);
  }
  void set(T value) {
    if constexpr (kOrder != std::endian::native) value = std::byteswap(value);
    std::memcpy(bytes_.data(), &value, sizeof value);
  }

 private:
  std::array<std::uint8_t, sizeof(T)> bytes_{};
};

using Le16 = WireInt<std::uint16_t, std::endian::little>;
using Le32 = WireInt<std::uint32_t, std::endian::little>;
using Le64 = WireInt<std::uint64_t, std::endian::little>;
using Be16 = WireInt<std::uint16_t, std::endian::big>;
using Be32 = WireInt<std::uint32_t, std::endian::big>;
using Be64 = WireInt<std::uint64_t, std::endian::big>;
static_assert(sizeof(Le64) == 8 && alignof(Le64) == 1);

// Reads or writes one integer at the start of `bytes`. REQUIRES: bytes.size() >= sizeof(T).
template <class W>
auto load(ByteView bytes) {
  W wire;
  std::memcpy(&wire, bytes.data(), sizeof wire);
  return wire.get();
}
template <class W, class T>
void store(ByteSpan bytes, T value) {
  const W wire{value};
  std::memcpy(bytes.data(), &wire, sizeof wire);
}

// The bytes of a value that has no padding.
template <class T>
ByteView bytes_of(const T& value) {
  static_assert(alignof(T) == 1);
  return {reinterpret_cast<const std::uint8_t*>(&value), sizeof value};
}

}  // namespace ginnel

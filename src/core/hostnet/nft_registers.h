// The register file of nf_tables with every bit known or unknown. A comparison with unknown bits
// may come out either way.
#pragma once

#include <algorithm>
#include <array>
#include <cstring>

#include "base/bytes.h"
#include "core/hostnet/nft_expression.h"

namespace ginnel::hostnet::nft {

enum class Truth : std::uint8_t { No, Maybe, Yes };

inline Truth operator!(Truth truth) {
  if (truth == Truth::Maybe) return Truth::Maybe;
  return truth == Truth::Yes ? Truth::No : Truth::Yes;
}
inline Truth truth_of(bool value) { return value ? Truth::Yes : Truth::No; }

class Registers {
 public:
  void forget_all() { known_.fill(0); }
  void forget(Register at, std::size_t length) {
    if (!fits(at, length)) return;
    std::fill_n(known_.begin() + at, length, std::uint8_t{0});
  }
  // A load clears the rest of its last word, as the kernel does.
  void set(Register at, ByteView value) {
    const std::size_t padded = (value.size() + 3) / 4 * 4;
    if (!fits(at, padded)) return;
    std::fill_n(value_.begin() + at, padded, std::uint8_t{0});
    std::ranges::copy(value, value_.begin() + at);
    std::fill_n(known_.begin() + at, padded, std::uint8_t{0xff});
  }
  // Only the bits of `known` are.
  void set_partly(Register at, ByteView value, ByteView known) {
    set(at, value);
    if (fits(at, known.size())) std::ranges::copy(known, known_.begin() + at);
  }

  void combine(Register from, Register to, const Bytes& mask, const Bytes& flip) {
    if (!fits(from, mask.size()) || !fits(to, mask.size()) || flip.size() != mask.size()) return;
    for (std::size_t i = 0; i < mask.size(); ++i) {
      const std::uint8_t known = known_[from + i];
      value_[to + i] = static_cast<std::uint8_t>((value_[from + i] & mask[i]) ^ flip[i]);
      // What the mask clears is known, whatever it was.
      known_[to + i] = static_cast<std::uint8_t>(known | ~mask[i]);
    }
  }

  // The bytes, when all their bits are known.
  std::optional<ByteView> read(Register at, std::size_t length) const {
    if (!fits(at, length)) return std::nullopt;
    const auto begin = known_.begin() + at;
    const bool whole = std::all_of(begin, begin + static_cast<std::ptrdiff_t>(length),
                                   [](std::uint8_t k) { return k == 0xff; });
    if (!whole) return std::nullopt;
    return ByteView(value_.data() + at, length);
  }

  Truth equals(Register at, ByteView value) const {
    if (!fits(at, value.size())) return Truth::Maybe;
    bool whole = true;
    for (std::size_t i = 0; i < value.size(); ++i) {
      if ((value_[at + i] ^ value[i]) & known_[at + i]) return Truth::No;
      whole &= known_[at + i] == 0xff;
    }
    return whole ? Truth::Yes : Truth::Maybe;
  }

 private:
  static bool fits(std::size_t at, std::size_t length) {
    return at < kRegisterFileSize && length <= kRegisterFileSize - at;
  }

  std::array<std::uint8_t, kRegisterFileSize> value_{};
  std::array<std::uint8_t, kRegisterFileSize> known_{};
};

}  // namespace ginnel::hostnet::nft

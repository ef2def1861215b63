// A fuzzer's input, taken apart from the front. An input that is too short reads as zeros, so that
// every input means something and a longer one adds to a shorter.
#pragma once

#include <string_view>

#include "base/bytes.h"

namespace ginnel {

class FuzzInput {
 public:
  explicit FuzzInput(ByteView bytes) : rest_(bytes) {}

  bool empty() const { return rest_.empty(); }
  std::uint8_t byte() {
    if (rest_.empty()) return 0;
    const std::uint8_t value = rest_[0];
    rest_ = rest_.subspan(1);
    return value;
  }
  std::uint16_t number() { return static_cast<std::uint16_t>(byte() * 256 + byte()); }
  ByteView bytes(std::size_t size) {
    const ByteView taken = rest_.first(std::min(size, rest_.size()));
    rest_ = rest_.subspan(taken.size());
    return taken;
  }
  // A length in two bytes and that many bytes.
  ByteView block() { return bytes(number()); }
  std::string_view text(std::size_t size) {
    const ByteView taken = bytes(size);
    return {reinterpret_cast<const char*>(taken.data()), taken.size()};
  }
  std::string_view text_block() { return text(number()); }
  ByteView rest() { return bytes(rest_.size()); }

 private:
  ByteView rest_;
};

}  // namespace ginnel

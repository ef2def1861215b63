#include "base/secret.h"

namespace ginnel {

void erase(ByteSpan bytes) {
  std::fill(bytes.begin(), bytes.end(), std::uint8_t{0});
  // The compiler must assume that this reads the memory, so the stores above stay.
  asm volatile("" : : "r"(bytes.data()) : "memory");
}

bool equal_in_constant_time(ByteView a, ByteView b) {
  if (a.size() != b.size()) return false;
  std::uint8_t difference = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    difference = static_cast<std::uint8_t>(difference | (a[i] ^ b[i]));
  }
  asm volatile("" : "+r"(difference));
  return difference == 0;
}

}  // namespace ginnel

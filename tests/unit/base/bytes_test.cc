#include "base/bytes.h"

#include <gtest/gtest.h>

#include "base/rng.h"

namespace ginnel {
namespace {

TEST(WireInt, StandsInItsOwnByteOrder) {
  const Le32 little(0x01020304);
  const Be32 big(0x01020304);
  EXPECT_TRUE(std::ranges::equal(bytes_of(little), std::to_array<std::uint8_t>({4, 3, 2, 1})));
  EXPECT_TRUE(std::ranges::equal(bytes_of(big), std::to_array<std::uint8_t>({1, 2, 3, 4})));
  EXPECT_EQ(little.get(), 0x01020304u);
  EXPECT_EQ(big.get(), 0x01020304u);
}

TEST(WireInt, IsReadAndWrittenAtAnyAlignment) {
  std::array<std::uint8_t, 9> bytes{};
  store<Be64>(ByteSpan(bytes).subspan(1), 0x0102030405060708u);
  EXPECT_EQ(bytes[0], 0);
  EXPECT_EQ(bytes[8], 8);
  EXPECT_EQ(load<Be64>(ByteView(bytes).subspan(1)), 0x0102030405060708u);
  EXPECT_EQ(load<Le16>(ByteView(bytes).subspan(7)), 0x0807);
}

// Counts upwards, byte by byte.
class CountingRng final : public Rng {
 public:
  void fill(ByteSpan out) override {
    for (std::uint8_t& byte : out) byte = next_++;
  }

 private:
  std::uint8_t next_ = 0;
};

TEST(Rng, MakesNumbersOfItsBytes) {
  CountingRng rng;
  EXPECT_EQ(rng.number<std::uint8_t>(), 0);
  EXPECT_NE(rng.number<std::uint64_t>(), 0u);
  for (int i = 0; i < 100; ++i) EXPECT_LT(rng.below(3), 3u);
  EXPECT_EQ(rng.below(1), 0u);
}

}  // namespace
}  // namespace ginnel

#include "base/secret.h"

#include <gtest/gtest.h>

#include <new>
#include <sstream>
#include <type_traits>

namespace ginnel {
namespace {

using Key = Secret<4>;
constexpr std::array<std::uint8_t, 4> kBytes = {1, 2, 3, 4};

template <class T>
concept Comparable = requires(const T& a, const T& b) { a == b; };
template <class T>
concept Printable = requires(std::ostream& out, const T& value) { out << value; };

TEST(Secret, CannotBeCopiedComparedOrPrintedByAccident) {
  static_assert(!std::is_copy_constructible_v<Key> && !std::is_copy_assignable_v<Key>);
  static_assert(std::is_nothrow_move_constructible_v<Key> &&
                std::is_nothrow_move_assignable_v<Key>);
  static_assert(!Comparable<Key> && !Printable<Key> && !fmt::is_formattable<Key>::value);
}

TEST(Secret, ErasesWhatItWasMovedFrom) {
  Key a(kBytes);
  Key b(std::move(a));
  EXPECT_TRUE(a.is_zero());  // NOLINT(bugprone-use-after-move): the contract under test.
  EXPECT_TRUE(std::ranges::equal(b.expose(), kBytes));

  Key c;
  EXPECT_TRUE(c.is_zero());
  c = std::move(b);
  EXPECT_TRUE(b.is_zero());  // NOLINT(bugprone-use-after-move)
  EXPECT_TRUE(std::ranges::equal(c.expose(), kBytes));
}

TEST(Secret, SurvivesBeingMovedToItself) {
  Key key(kBytes);
  Key& same = key;
  key = std::move(same);
  EXPECT_TRUE(std::ranges::equal(key.expose(), kBytes));
}

TEST(Secret, DuplicatesOnlyWhenAsked) {
  const Key key(kBytes);
  Key copy = key.duplicate();
  copy.expose_mutable()[0] = 9;
  EXPECT_EQ(key.expose()[0], 1);
}

TEST(Secret, ErasesItsMemoryWhenItDies) {
  alignas(Key) std::array<std::uint8_t, sizeof(Key)> memory;
  Key* key = new (memory.data()) Key(kBytes);
  EXPECT_EQ(memory, kBytes);

  key->~Key();

  EXPECT_EQ(memory, (std::array<std::uint8_t, 4>{}));
}

TEST(EqualInConstantTime, SeesEveryBitAndTheSize) {
  const std::array<std::uint8_t, 3> a = {0x00, 0x7f, 0xff};
  EXPECT_TRUE(equal_in_constant_time(a, a));
  EXPECT_TRUE(equal_in_constant_time({}, {}));
  EXPECT_FALSE(equal_in_constant_time(a, ByteView(a).first(2)));
  for (std::size_t bit = 0; bit < 24; ++bit) {
    SCOPED_TRACE(bit);
    auto b = a;
    b[bit / 8] = static_cast<std::uint8_t>(b[bit / 8] ^ (1u << bit % 8));
    EXPECT_FALSE(equal_in_constant_time(a, b));
  }
}

}  // namespace
}  // namespace ginnel

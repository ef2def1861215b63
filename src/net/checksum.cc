#include "net/checksum.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace ginnel::net {
namespace {

// Both kernels add 32-bit words into 64-bit lanes: no lane can overflow before 16 GiB, and the
// lanes together are congruent to the 16-bit sum.
struct PortableLanes {
  std::uint64_t even = 0;
  std::uint64_t odd = 0;

  void add(std::uint64_t word) {
    even += word & 0xffffffff;
    odd += word >> 32;
  }
};

// Reads one word, moving it to `to` as well unless that is null. A copy of a constant size is one
// instruction; the length that is left over is taken apart into such.
template <class Word>
std::uint64_t take(const std::uint8_t*& from, std::uint8_t*& to) {
  Word word;
  std::memcpy(&word, from, sizeof word);
  from += sizeof word;
  if (to != nullptr) {
    std::memcpy(to, &word, sizeof word);
    to += sizeof word;
  }
  return word;
}

// What is left behind whole vectors. A last odd byte counts as if a zero followed it.
inline std::uint64_t sum_tail(const std::uint8_t* from, std::uint8_t* to, std::size_t size) {
  PortableLanes lanes;
  for (; size >= 8; size -= 8) lanes.add(take<std::uint64_t>(from, to));
  if ((size & 4) != 0) lanes.add(take<std::uint32_t>(from, to));
  if ((size & 2) != 0) lanes.add(take<std::uint16_t>(from, to));
  if ((size & 1) != 0) {
    const std::uint64_t byte = take<std::uint8_t>(from, to);
    lanes.add(std::endian::native == std::endian::little ? byte : byte << 8);
  }
  return lanes.even + lanes.odd;
}

#if defined(__x86_64__)

#define GINNEL_AVX2 __attribute__((target("avx2")))

struct VectorLanes {
  __m256i even;
  __m256i odd;
};

GINNEL_AVX2 inline void add(VectorLanes& lanes, __m256i words) {
  lanes.even =
      _mm256_add_epi64(lanes.even, _mm256_blend_epi32(words, _mm256_setzero_si256(), 0b10101010));
  lanes.odd = _mm256_add_epi64(lanes.odd, _mm256_srli_epi64(words, 32));
}

GINNEL_AVX2 inline __m256i load_words(const std::uint8_t* from) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
}

GINNEL_AVX2 inline __m256i move_words(const std::uint8_t* from, std::uint8_t* to) {
  const __m256i words = load_words(from);
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), words);
  return words;
}

GINNEL_AVX2 inline std::uint64_t total(const VectorLanes& a, const VectorLanes& b) {
  const __m256i all =
      _mm256_add_epi64(_mm256_add_epi64(a.even, a.odd), _mm256_add_epi64(b.even, b.odd));
  std::array<std::uint64_t, 4> lanes;
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(lanes.data()), all);
  return lanes[0] + lanes[1] + lanes[2] + lanes[3];
}

GINNEL_AVX2 std::uint64_t sum_avx2(const std::uint8_t* from, std::size_t size) {
  VectorLanes a{_mm256_setzero_si256(), _mm256_setzero_si256()};
  VectorLanes b = a;
  for (; size >= 128; from += 128, size -= 128) {
    add(a, load_words(from));
    add(b, load_words(from + 32));
    add(a, load_words(from + 64));
    add(b, load_words(from + 96));
  }
  for (; size >= 32; from += 32, size -= 32) add(a, load_words(from));
  return total(a, b) + sum_tail(from, nullptr, size);
}

GINNEL_AVX2 std::uint64_t copy_avx2(const std::uint8_t* from, std::uint8_t* to, std::size_t size) {
  VectorLanes a{_mm256_setzero_si256(), _mm256_setzero_si256()};
  VectorLanes b = a;
  for (; size >= 128; from += 128, to += 128, size -= 128) {
    add(a, move_words(from, to));
    add(b, move_words(from + 32, to + 32));
    add(a, move_words(from + 64, to + 64));
    add(b, move_words(from + 96, to + 96));
  }
  for (; size >= 32; from += 32, to += 32, size -= 32) add(a, move_words(from, to));
  return total(a, b) + sum_tail(from, to, size);
}

#undef GINNEL_AVX2

const bool kHaveAvx2 = __builtin_cpu_supports("avx2") != 0;
// Below this the set-up of the vector kernel costs more than it saves.
constexpr std::size_t kVectorFrom = 64;

#endif

}  // namespace

std::uint64_t InternetSum::sum_of(ByteView bytes) {
#if defined(__x86_64__)
  if (bytes.size() >= kVectorFrom && kHaveAvx2) return sum_avx2(bytes.data(), bytes.size());
#endif
  return sum_tail(bytes.data(), nullptr, bytes.size());
}

std::uint64_t InternetSum::copy_and_sum(ByteView from, std::uint8_t* to) {
#if defined(__x86_64__)
  if (from.size() >= kVectorFrom && kHaveAvx2) return copy_avx2(from.data(), to, from.size());
#endif
  return sum_tail(from.data(), to, from.size());
}

InternetSum pseudo_header(ByteView addresses, std::uint8_t protocol, std::size_t length) {
  InternetSum sum;
  sum.add(addresses);
  sum.add_number(protocol);
  sum.add_number32(static_cast<std::uint32_t>(length));
  return sum;
}

void update_checksum(std::uint8_t* checksum, std::uint16_t before, std::uint16_t after) {
  std::uint16_t old;
  std::memcpy(&old, checksum, sizeof old);
  old = static_cast<std::uint16_t>(~old);
  InternetSum sum;
  sum.add({reinterpret_cast<const std::uint8_t*>(&old), sizeof old});
  sum.subtract_number(before);
  sum.add_number(after);
  sum.store_checksum(checksum);
}

}  // namespace ginnel::net

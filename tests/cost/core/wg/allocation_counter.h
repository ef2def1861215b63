// Counts what a test program takes from the heap. Exactly one source of the program includes it.
#pragma once

#include <malloc.h>

#include <atomic>
#include <cstdlib>
#include <new>

namespace ginnel::test {

struct Allocations {
  std::uint64_t count = 0;      // Calls of operator new.
  std::int64_t live_bytes = 0;  // As the allocator rounds them.

  static Allocations now();
};

namespace allocation_counter {
inline std::atomic<std::uint64_t> count{0};
inline std::atomic<std::int64_t> live_bytes{0};

inline void* take(std::size_t size, std::size_t alignment) {
  void* const memory = alignment == 0 ? std::malloc(size) : std::aligned_alloc(alignment, size);
  if (memory == nullptr) std::abort();
  ++count;
  live_bytes += static_cast<std::int64_t>(malloc_usable_size(memory));
  return memory;
}
inline void give_back(void* memory) {
  if (memory != nullptr) live_bytes -= static_cast<std::int64_t>(malloc_usable_size(memory));
  std::free(memory);
}
}  // namespace allocation_counter

inline Allocations Allocations::now() {
  return {allocation_counter::count, allocation_counter::live_bytes};
}

}  // namespace ginnel::test

void* operator new(std::size_t size) { return ginnel::test::allocation_counter::take(size, 0); }
void* operator new(std::size_t size, std::align_val_t alignment) {
  const auto to = static_cast<std::size_t>(alignment);
  return ginnel::test::allocation_counter::take((size + to - 1) / to * to, to);
}
void operator delete(void* memory) noexcept { ginnel::test::allocation_counter::give_back(memory); }
void operator delete(void* memory, std::size_t) noexcept {
  ginnel::test::allocation_counter::give_back(memory);
}
void operator delete(void* memory, std::align_val_t) noexcept {
  ginnel::test::allocation_counter::give_back(memory);
}
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept {
  ginnel::test::allocation_counter::give_back(memory);
}

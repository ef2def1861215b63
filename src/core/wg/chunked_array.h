// An array that grows while other threads read it: elements never move, so an index that was
// published stays valid. One thread grows it.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>

#include "base/check.h"

namespace ginnel::wg {

template <class T, std::uint32_t kChunkSize, std::uint32_t kMaxChunks>
class ChunkedArray {
 public:
  static constexpr std::uint32_t kMaxSize = kChunkSize * kMaxChunks;

  ChunkedArray() = default;
  ~ChunkedArray() {
    for (std::uint32_t i = 0; i < kMaxChunks; ++i) {
      const std::unique_ptr<Chunk> chunk(chunks_[i].load(std::memory_order_relaxed));
    }
  }
  ChunkedArray(const ChunkedArray&) = delete;
  ChunkedArray& operator=(const ChunkedArray&) = delete;

  // Makes every index below `size` readable. REQUIRES: size <= kMaxSize; the growing thread.
  void grow_to(std::uint32_t size) {
    CHECK(size <= kMaxSize);
    while (size_ < size) {
      auto chunk = std::make_unique<Chunk>();
      chunks_[size_ / kChunkSize].store(chunk.release(), std::memory_order_release);
      size_ += kChunkSize;
    }
  }
  std::uint32_t size() const { return size_; }  // The growing thread.

  // REQUIRES: the index came from the growing thread, or find() is used.
  T& operator[](std::uint32_t index) {
    return (*chunks_[index / kChunkSize].load(std::memory_order_acquire))[index % kChunkSize];
  }
  const T& operator[](std::uint32_t index) const {
    return (*chunks_[index / kChunkSize].load(std::memory_order_acquire))[index % kChunkSize];
  }
  // Any index at all, for instance one from the network: null when there is no such element.
  const T* find(std::uint32_t index) const {
    if (index >= kMaxSize) return nullptr;
    const Chunk* chunk = chunks_[index / kChunkSize].load(std::memory_order_acquire);
    return chunk == nullptr ? nullptr : &(*chunk)[index % kChunkSize];
  }

 private:
  using Chunk = std::array<T, kChunkSize>;
  std::array<std::atomic<Chunk*>, kMaxChunks> chunks_{};
  std::uint32_t size_ = 0;
};

}  // namespace ginnel::wg

// Deferred reclamation for data that workers read without a lock: what a writer takes out of a
// shared structure is destroyed only when no reader can still see it (quiescent-state based
// reclamation). Readers pay two atomic stores a turn, nothing per packet.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "base/mutex.h"

namespace ginnel {

// Any number of writers; at most kMaxReaders readers, each used by one thread.
class EpochDomain {
 public:
  static constexpr std::size_t kMaxReaders = 64;

  // One reading thread. Between enter() and leave() what it finds in shared structures stays alive.
  class Reader {
   public:
    explicit Reader(EpochDomain& domain);
    ~Reader();
    Reader(const Reader&) = delete;
    Reader& operator=(const Reader&) = delete;

    // Starts a turn, or starts the next one: everything found in the turn before is given up.
    void enter();
    // Call before blocking: a thread that sleeps must not hold up reclamation.
    void leave();

   private:
    EpochDomain& domain_;
    std::size_t slot_;
  };

  EpochDomain() = default;
  ~EpochDomain();
  EpochDomain(const EpochDomain&) = delete;
  EpochDomain& operator=(const EpochDomain&) = delete;

  // Takes over what was just unlinked; runs `dispose` once no reader can see it.
  void retire(std::move_only_function<void()> dispose);
  template <class T>
  void retire(std::unique_ptr<T> object) {
    if (object) retire(std::move_only_function<void()>([o = std::move(object)] {}));
  }

  // Disposes of what has become unreachable. Cheap when nothing waits; call once a turn.
  void collect();
  std::size_t waiting() const;

 private:
  struct Retired {
    std::uint64_t epoch;
    std::move_only_function<void()> dispose;
  };
  struct alignas(64) Slot {
    std::atomic<std::uint64_t> seen{0};  // 0: outside a turn.
    std::atomic<bool> taken{false};
  };

  std::uint64_t oldest_seen() const;

  std::atomic<std::uint64_t> epoch_{1};
  std::array<Slot, kMaxReaders> slots_;
  mutable Mutex mutex_;
  std::vector<Retired> retired_ GUARDED_BY(mutex_);
};

}  // namespace ginnel

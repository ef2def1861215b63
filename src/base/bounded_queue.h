// A bounded queue of values between threads. The only way threads talk to each other.
#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/mutex.h"

namespace ginnel {

// Any number of producers and consumers. Never blocks: a full queue refuses, and the producer
// counts the drop. Waking the consumer is the caller's business (an eventfd, in the services).
template <class T>
class BoundedQueue {
 public:
  explicit BoundedQueue(std::size_t capacity) : capacity_(capacity) { CHECK(capacity > 0); }

  // Returns false, and leaves `value` as it was, when the queue is full.
  bool push(T&& value) {
    const MutexLock lock(mutex_);
    if (items_.size() >= capacity_) return false;
    items_.push_back(std::move(value));
    return true;
  }

  std::optional<T> pop() {
    const MutexLock lock(mutex_);
    if (items_.empty()) return std::nullopt;
    std::optional<T> value(std::move(items_.front()));
    items_.pop_front();
    return value;
  }

  // Moves everything that waits to the end of `out`: one lock for a whole batch.
  void drain(std::vector<T>& out) {
    const MutexLock lock(mutex_);
    for (T& item : items_) out.push_back(std::move(item));
    items_.clear();
  }

  std::size_t size() const {
    const MutexLock lock(mutex_);
    return items_.size();
  }
  std::size_t capacity() const { return capacity_; }

 private:
  const std::size_t capacity_;
  mutable Mutex mutex_;
  std::deque<T> items_ GUARDED_BY(mutex_);
};

}  // namespace ginnel

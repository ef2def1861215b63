// A mutex that clang's -Wthread-safety understands. Every guarded member says GUARDED_BY.
#pragma once

#include <condition_variable>
#include <mutex>

#if defined(__clang__)
#define GINNEL_THREAD_ANNOTATION(x) __attribute__((x))
#else
#define GINNEL_THREAD_ANNOTATION(x)
#endif
#define CAPABILITY(x) GINNEL_THREAD_ANNOTATION(capability(x))
#define SCOPED_CAPABILITY GINNEL_THREAD_ANNOTATION(scoped_lockable)
#define GUARDED_BY(x) GINNEL_THREAD_ANNOTATION(guarded_by(x))
#define REQUIRES_LOCK(...) GINNEL_THREAD_ANNOTATION(requires_capability(__VA_ARGS__))
#define ACQUIRE(...) GINNEL_THREAD_ANNOTATION(acquire_capability(__VA_ARGS__))
#define RELEASE(...) GINNEL_THREAD_ANNOTATION(release_capability(__VA_ARGS__))

namespace ginnel {

class CAPABILITY("mutex") Mutex {
 public:
  void lock() ACQUIRE() { mutex_.lock(); }
  void unlock() RELEASE() { mutex_.unlock(); }

 private:
  std::mutex mutex_;
};

class SCOPED_CAPABILITY MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) ACQUIRE(mutex) : mutex_(mutex) { mutex_.lock(); }
  ~MutexLock() RELEASE() { mutex_.unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex& mutex_;
};

}  // namespace ginnel

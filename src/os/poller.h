// Waits until descriptors are ready or a deadline passes. One thread waits; others wake it through
// an EventFd that it polls.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>

#include "base/result.h"
#include "base/time.h"
#include "os/fd.h"

namespace ginnel::os {

enum class Interest : std::uint8_t { Read, Write, ReadAndWrite };

struct Ready {
  std::uint64_t token;  // As given to add().
  bool readable;        // Also when the other end hung up: the read says so.
  bool writable;
  bool failed;  // Something is wrong with it; what, says the next read or write.
};

class Poller {
 public:
  // What one wait reports at most. The rest comes with the next, in turn: none starves.
  static constexpr std::size_t kMaxReady = 64;

  static Result<Poller> create();
  // One that reports when these are readable, by their tokens. A negative descriptor is none.
  struct Watched {
    int fd;
    std::uint64_t token;
  };
  static Result<Poller> watching(std::span<const Watched> all);
  ~Poller();
  Poller(Poller&& other) noexcept;
  Poller& operator=(Poller&& other) noexcept;

  // Level-triggered: reports `fd` in every wait for as long as it is ready. The poller borrows the
  // descriptor; closing it removes it.
  Status add(int fd, std::uint64_t token, Interest interest);
  Status change(int fd, std::uint64_t token, Interest interest);
  Status remove(int fd);

  // Waits no longer than `deadline`, on the clock of os::Clock; kNever waits for ever, and a time
  // that has passed does not wait. May come back early with nothing. The span is valid until the
  // next wait. Nothing is allocated.
  std::span<const Ready> wait_until(MonoTime deadline);

 private:
  struct Events;

  explicit Poller(Fd epoll);
  Status control(int operation, int fd, std::uint64_t token, Interest interest);
  int wait(MonoTime deadline);

  Fd epoll_;
  std::unique_ptr<Events> events_;
  std::array<Ready, kMaxReady> ready_;
  bool has_exact_wait_ = true;  // epoll_pwait2, from Linux 5.11 on.
};

}  // namespace ginnel::os

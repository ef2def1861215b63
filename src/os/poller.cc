#include "os/poller.h"

#include <errno.h>
#include <fmt/format.h>
#include <sys/epoll.h>

#include "base/check.h"
#include "os/clock.h"
#include "os/os_error.h"

namespace ginnel::os {
namespace {

std::uint32_t events_of(Interest interest) {
  switch (interest) {
    case Interest::Read:
      return EPOLLIN;
    case Interest::Write:
      return EPOLLOUT;
    case Interest::ReadAndWrite:
      return EPOLLIN | EPOLLOUT;
  }
  std::unreachable();
}

}  // namespace

struct Poller::Events {
  std::array<epoll_event, kMaxReady> list;
};

Poller::Poller(Fd epoll) : epoll_(std::move(epoll)), events_(std::make_unique<Events>()) {}
Poller::~Poller() = default;
Poller::Poller(Poller&& other) noexcept = default;
Poller& Poller::operator=(Poller&& other) noexcept = default;

Result<Poller> Poller::create() {
  Fd epoll(epoll_create1(EPOLL_CLOEXEC));
  if (!epoll) return os_fail("epoll_create1", errno);
  return Poller(std::move(epoll));
}

Result<Poller> Poller::watching(std::span<const Watched> all) {
  auto poller = create();
  if (!poller) return poller;
  for (const auto& [fd, token] : all) {
    if (fd < 0) continue;
    if (Status added = poller->add(fd, token, Interest::Read); !added) {
      return pass(std::move(added));
    }
  }
  return poller;
}

Status Poller::add(int fd, std::uint64_t token, Interest interest) {
  return control(EPOLL_CTL_ADD, fd, token, interest);
}

Status Poller::change(int fd, std::uint64_t token, Interest interest) {
  return control(EPOLL_CTL_MOD, fd, token, interest);
}

Status Poller::remove(int fd) { return control(EPOLL_CTL_DEL, fd, 0, Interest::Read); }

Status Poller::control(int operation, int fd, std::uint64_t token, Interest interest) {
  epoll_event event{.events = events_of(interest), .data = {.u64 = token}};
  if (epoll_ctl(epoll_.get(), operation, fd, &event) == 0) return ok();
  return os_fail(fmt::format("poll descriptor {}", fd), errno);
}

std::span<const Ready> Poller::wait_until(MonoTime deadline) {
  const int count = wait(deadline);
  // A signal may interrupt; anything else would be a descriptor or an address of ours gone wrong.
  CHECK(count >= 0 || errno == EINTR);
  const std::size_t reported = count > 0 ? static_cast<std::size_t>(count) : 0;
  for (std::size_t i = 0; i < reported; ++i) {
    const epoll_event& event = events_->list[i];
    ready_[i] = {.token = event.data.u64,
                 .readable = (event.events & (EPOLLIN | EPOLLHUP | EPOLLRDHUP)) != 0,
                 .writable = (event.events & EPOLLOUT) != 0,
                 .failed = (event.events & EPOLLERR) != 0};
  }
  return {ready_.data(), reported};
}

int Poller::wait(MonoTime deadline) {
  epoll_event* const list = events_->list.data();
  constexpr int kRoom = static_cast<int>(kMaxReady);
  if (deadline == kNever) return epoll_wait(epoll_.get(), list, kRoom, -1);
  // A turn that only looks need not read the clock.
  const Duration left =
      deadline <= MonoTime{} ? Duration{0} : std::max(deadline - Clock().mono(), Duration{0});
  if (left == Duration{0}) return epoll_wait(epoll_.get(), list, kRoom, 0);

  if (has_exact_wait_) {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(left);
    const timespec timeout{.tv_sec = static_cast<time_t>(seconds.count()),
                           .tv_nsec = static_cast<long>((left - seconds).count())};
    const int count = epoll_pwait2(epoll_.get(), list, kRoom, &timeout, nullptr);
    if (count >= 0 || errno != ENOSYS) return count;
    has_exact_wait_ = false;
  }
  // Rounded up: waking early would only mean another wait. An hour is as good as longer.
  const auto whole =
      std::chrono::ceil<std::chrono::milliseconds>(std::min<Duration>(left, std::chrono::hours(1)));
  return epoll_wait(epoll_.get(), list, kRoom, static_cast<int>(whole.count()));
}

}  // namespace ginnel::os

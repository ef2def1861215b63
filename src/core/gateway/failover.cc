#include "core/gateway/failover.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace ginnel::gateway {
namespace {

// A keepalive's size; nobody answers one. Anything that is answered is longer.
constexpr std::uint64_t kKeepaliveBytes = 32;

}  // namespace

Failover::Failover(std::size_t tunnels, MonoTime now) : tunnels_(tunnels) {
  CHECK(tunnels >= 1 && tunnels <= kMaxTunnels);
  tunnels_.front().silence.arm(now);
}

void Failover::handle_traffic(MonoTime now, std::size_t index, const TunnelTraffic& traffic) {
  Tunnel& tunnel = tunnels_.at(index);
  const TunnelTraffic before = std::exchange(tunnel.traffic, traffic);
  // A greeting is a handshake, and none is begun so soon after another: it would not be answered,
  // because it would not be sent.
  const bool was_later = traffic.initiated != kNever &&
                         (tunnel.greeted == kNever || traffic.initiated > tunnel.greeted);
  if (was_later) tunnel.greeted = traffic.initiated;
  if (traffic.received != before.received) {
    // Heard between two looks: what was sent in the same time counts as answered.
    if (tunnel.answer.armed() && index != active_) ++tunnel.answers;
    tunnel.heard = true;
    tunnel.failed_at = kNever;
    tunnel.silence.disarm();
    tunnel.answer.disarm();
  } else if (index == active_ && traffic.sent > before.sent + kKeepaliveBytes) {
    tunnel.silence.arm_if_idle(now + kSilenceLimit);
  }
}

Failover::Step Failover::handle_timeout(MonoTime now) {
  Step step;
  watch_active(now, step);
  watch_preferred(now, step);
  return step;
}

MonoTime Failover::next_timeout() const {
  const Tunnel& active = tunnels_[active_];
  MonoTime next = std::min(active.answer.at(), return_.at());
  // While an answer is awaited, silence is nothing new; and who was greeted is left alone for a
  // while.
  if (active.silence.armed() && !active.answer.armed()) {
    const MonoTime allowed =
        active.greeted == kNever ? active.silence.at() : active.greeted + kGreetInterval;
    next = std::min(next, std::max(active.silence.at(), allowed));
  }
  for (std::size_t i = 0; i < active_; ++i) next = std::min(next, tunnels_[i].answer.at());
  return next;
}

bool Failover::all_failed() const {
  return std::ranges::all_of(tunnels_,
                             [](const Tunnel& tunnel) { return tunnel.failed_at != kNever; });
}

bool Failover::may_greet(const Tunnel& tunnel, MonoTime now) {
  return tunnel.greeted == kNever || now - tunnel.greeted >= kGreetInterval;
}

void Failover::greet(std::size_t index, MonoTime now, Step& step) {
  Tunnel& tunnel = tunnels_[index];
  tunnel.greeted = now;
  tunnel.answer.arm(now + kAnswerLimit);
  step.greet.push_back(index);
}

void Failover::watch_active(MonoTime now, Step& step) {
  Tunnel& active = tunnels_[active_];
  if (active.answer.take_if_due(now)) return give_up(now, step);
  const bool is_silent = active.silence.armed() && now >= active.silence.at();
  if (is_silent && !active.answer.armed() && may_greet(active, now)) greet(active_, now, step);
}

void Failover::watch_preferred(MonoTime now, Step& step) {
  for (std::size_t i = 0; i < active_; ++i) {
    Tunnel& tunnel = tunnels_[i];
    if (tunnel.answer.take_if_due(now)) tunnel.answers = 0;
    if (tunnel.answers < kAnswersToReturn) continue;
    switch_to(i, now, step);
    returned_at_ = now;
    return;
  }
  if (!return_.take_if_due(now)) return;
  for (std::size_t i = 0; i < active_; ++i) {
    if (may_greet(tunnels_[i], now)) greet(i, now, step);
  }
  return_.arm(now + return_interval_);
}

void Failover::give_up(MonoTime now, Step& step) {
  step.failed = true;
  Tunnel& active = tunnels_[active_];
  active.failed_at = now;
  active.heard = false;
  active.silence.disarm();
  if (returned_at_ != kNever) {
    const bool too_soon = now - returned_at_ < kTrialTime;
    return_interval_ =
        too_soon ? std::min(2 * return_interval_, kMaxReturnInterval) : kReturnInterval;
    returned_at_ = kNever;
  }
  const std::size_t next = next_candidate(now);
  if (next != active_) return switch_to(next, now, step);
  active.silence.arm(now);  // Greeted again as soon as it may.
}

void Failover::switch_to(std::size_t index, MonoTime now, Step& step) {
  tunnels_[active_].silence.disarm();
  tunnels_[active_].answer.disarm();
  tunnels_[active_].answers = 0;
  active_ = index;
  Tunnel& active = tunnels_[index];
  active.heard = active.answers > 0;
  active.answers = 0;
  step.switch_to = index;
  // One that answered a moment ago need not prove itself; who may not be greeted yet is greeted as
  // soon as it may.
  if (!active.heard) {
    active.silence.arm(now);
    if (may_greet(active, now)) greet(index, now, step);
  }
  return_.disarm();
  if (active_ != 0) return_.arm(now + return_interval_);
}

// The first that has not failed lately; when all have, the next one, so that each has its turn.
std::size_t Failover::next_candidate(MonoTime now) const {
  for (std::size_t i = 0; i < tunnels_.size(); ++i) {
    const Tunnel& tunnel = tunnels_[i];
    const bool rests = tunnel.failed_at != kNever && now - tunnel.failed_at < kRestTime;
    if (i != active_ && !rests) return i;
  }
  return (active_ + 1) % tunnels_.size();
}

}  // namespace ginnel::gateway

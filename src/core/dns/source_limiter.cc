#include "core/dns/source_limiter.h"

#include <algorithm>

namespace ginnel::dns {

net::Prefix source_network(const net::Address& source) {
  return net::Prefix::masking(source, source.is_v4() ? 32 : 64);
}

bool SourceLimiter::admit(MonoTime now, const net::Prefix& source) {
  auto known = full_at_.find(source);
  if (known == full_at_.end()) {
    if (full_at_.size() >= kMaxSources) forget_full(now);
    if (full_at_.size() >= kMaxSources) return false;
    known = full_at_.emplace(source, now).first;
  }
  MonoTime& full_at = known->second;
  full_at = std::max(full_at, now);
  if (full_at - now > (kBurst - 1) * kInterval) return false;
  full_at += kInterval;
  return true;
}

void SourceLimiter::forget_full(MonoTime now) {
  if (now < next_sweep_) return;
  next_sweep_ = now + kSweepInterval;
  std::erase_if(full_at_, [&](const auto& entry) { return entry.second <= now; });
}

}  // namespace ginnel::dns

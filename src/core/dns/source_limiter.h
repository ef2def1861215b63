// How often one source may ask. An IPv6 source is its /64, because a host may use all of it.
#pragma once

#include <map>

#include "base/time.h"
#include "net/prefix.h"

namespace ginnel::dns {

// Who is counted together.
net::Prefix source_network(const net::Address& source);

// A token bucket for each source.
class SourceLimiter {
 public:
  static constexpr Duration kInterval = 2ms;  // 500 a second, for a network behind one address,
  static constexpr int kBurst = 1000;         // and twice that at once.
  // Sources of the last kBurst * kInterval; more of them are refused until others are quiet.
  static constexpr std::size_t kMaxSources = 4096;
  static constexpr Duration kSweepInterval = 100ms;

  bool admit(MonoTime now, const net::Prefix& source);
  std::size_t size() const { return full_at_.size(); }

 private:
  void forget_full(MonoTime now);

  std::map<net::Prefix, MonoTime> full_at_;  // When all tokens will be back.
  MonoTime next_sweep_{};
};

}  // namespace ginnel::dns

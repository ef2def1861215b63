#include "core/dns/upstreams.h"

#include <algorithm>

namespace ginnel::dns {

Upstreams::Upstreams(const std::vector<net::Endpoint>& endpoints) {
  for (const net::Endpoint& endpoint : endpoints) {
    if (list_.size() == kMaxUpstreams) break;
    list_.push_back({.endpoint = endpoint});
  }
}

std::optional<std::size_t> Upstreams::choose(MonoTime now, std::uint32_t asked) {
  for (std::size_t i = 0; i < list_.size(); ++i) {
    if ((asked >> i & 1) != 0) continue;
    Upstream& upstream = list_[i];
    if (upstream.silences >= kMaxSilences) {
      if (now < upstream.rests_until) continue;
      upstream.rests_until = now + kRest;
    }
    return i;
  }
  return std::nullopt;
}

void Upstreams::note_silence(MonoTime now, std::size_t index) {
  Upstream& upstream = list_[index];
  if (upstream.silences < kMaxSilences) ++upstream.silences;
  if (upstream.silences == kMaxSilences) upstream.rests_until = now + kRest;
}

std::vector<net::Endpoint> Upstreams::endpoints() const {
  std::vector<net::Endpoint> endpoints;
  std::ranges::transform(list_, std::back_inserter(endpoints), &Upstream::endpoint);
  return endpoints;
}

}  // namespace ginnel::dns

#include "core/wg/handshake_limiter.h"

namespace ginnel::wg {

HandshakeLimiter::HandshakeLimiter(Rng& rng)
    : by_network_(0, Hash{{rng.number<std::uint64_t>(), rng.number<std::uint64_t>()}}) {}

// Folds the two halves of a 128-bit product with a secret factor: one bit of the network changes
// half of the result, unpredictably.
std::size_t HandshakeLimiter::Hash::operator()(const Network& network) const noexcept {
  const std::uint64_t keyed =
      network.prefix ^ seed[0] ^ (network.family == net::Family::V6 ? ~std::uint64_t{0} : 0);
  const unsigned __int128 product = static_cast<unsigned __int128>(keyed) * (seed[1] | 1);
  return static_cast<std::size_t>(product ^ (product >> 64));
}

HandshakeLimiter::Network HandshakeLimiter::network_of(const net::Address& source) {
  if (source.is_v4()) return {net::Family::V4, load<Be32>(source.bytes())};
  return {net::Family::V6, load<Be64>(source.bytes())};
}

// Buckets fill in about the order of their last use, so one that is not yet full may hold back full
// ones behind it: for kBurst * kInterval at the most.
void HandshakeLimiter::forget_full(MonoTime now) {
  while (!buckets_.empty() && buckets_.front().full_at <= now) {
    by_network_.erase(buckets_.front().network);
    buckets_.pop_front();
  }
}

bool HandshakeLimiter::admit(MonoTime now, const net::Address& source) {
  forget_full(now);
  const Network network = network_of(source);
  if (const auto found = by_network_.find(network); found != by_network_.end()) {
    Bucket& bucket = *found->second;
    const MonoTime full_at = std::max(bucket.full_at, now) + kInterval;
    if (full_at - now > kBurst * kInterval) return false;
    bucket.full_at = full_at;
    buckets_.splice(buckets_.end(), buckets_, found->second);
    return true;
  }
  if (buckets_.size() == kMaxSources) return false;
  buckets_.push_back({network, now + kInterval});
  by_network_.emplace(network, std::prev(buckets_.end()));
  return true;
}

}  // namespace ginnel::wg

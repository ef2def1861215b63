// How fast peers send and receive, from byte counters that somebody looks at now and then.
#pragma once

#include <span>
#include <unordered_map>

#include "base/time.h"
#include "core/wg/device_config.h"

namespace ginnel::server {

struct Rate {
  double rx_bytes_per_second = 0;
  double tx_bytes_per_second = 0;

  friend bool operator==(const Rate&, const Rate&) = default;
};

class TrafficRates {
 public:
  // However often somebody looks, rates are averages over at least this long (once there is that
  // much to look back on) and, if somebody looks at least that often, at most twice as long.
  static constexpr Duration kMinWindow = 2s;

  // Takes the counters of all peers as they are now. Peers that are not among them are forgotten.
  void sample(MonoTime now, std::span<const wg::PeerStatus> peers);

  // Zero for a peer that has been seen only once, and over a restart of its counters.
  Rate of(const crypto::PublicKey& peer) const;
  Rate total() const { return total_; }

 private:
  struct Bytes {
    std::uint64_t rx = 0;
    std::uint64_t tx = 0;
  };
  struct Look {
    MonoTime at = kNever;
    std::unordered_map<crypto::PublicKey, Bytes> bytes;
  };

  const Look& base() const { return base_.at != kNever ? base_ : next_base_; }

  Look base_;
  Look next_base_;  // Becomes the base when it is old enough.
  Look newest_;
  Rate total_;
};

}  // namespace ginnel::server

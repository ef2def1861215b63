// What peers sent, received and negotiated: totals over all runs of a server, kept in its database,
// and rates of the last seconds. Fed with what the device counts; not thread-safe.
#pragma once

#include "core/server/traffic_rates.h"
#include "store/traffic_store.h"

namespace ginnel::server {

struct PeerTraffic {
  storage::Traffic total;
  Rate rate;
};

class TrafficBook {
 public:
  // What looking at all peers may cost: the more there are, the rarer somebody looks by itself.
  static constexpr Duration kMinInterval = 2s;
  static constexpr std::size_t kPeersPerSecond = 2000;

  // Borrows the database until it dies.
  static Result<TrafficBook> open(const storage::Database& database);

  void record(MonoTime now, const wg::DeviceStatus& device);
  PeerTraffic of(const crypto::PublicKey& peer) const;
  Rate total_rate() const { return rates_.total(); }
  void forget(const crypto::PublicKey& peer);
  Status save() { return store_.flush(); }

  // How long to wait until the next record().
  static Duration interval(std::size_t peers);

 private:
  struct Handshakes {
    UnixTime last{};
    std::uint64_t count = 0;
  };

  explicit TrafficBook(storage::TrafficStore store) : store_(std::move(store)) {}

  storage::TrafficStore store_;
  TrafficRates rates_;
  std::unordered_map<crypto::PublicKey, Handshakes> handshakes_;
};

}  // namespace ginnel::server

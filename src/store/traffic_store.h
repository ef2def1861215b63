// What each peer has sent, received and negotiated since it was made, and where it was last: totals
// that survive restarts of the device, whose own counters begin at zero each time. Totals never
// fall.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/time.h"
#include "store/database.h"

namespace ginnel::storage {

using PeerKey = std::array<std::uint8_t, 32>;

struct CauseCount {
  std::string cause;
  std::uint64_t count = 0;

  friend bool operator==(const CauseCount&, const CauseCount&) = default;
};

struct Traffic {
  std::uint64_t rx_bytes = 0;
  std::uint64_t tx_bytes = 0;
  std::uint64_t handshakes = 0;
  UnixTime last_handshake{};         // 1970: never.
  std::string endpoint;              // ADDRESS:PORT where it was last; empty: not known.
  std::vector<CauseCount> failures;  // Handshakes that failed, by cause; each cause once.

  friend bool operator==(const Traffic&, const Traffic&) = default;
};

class TrafficStore {
 public:
  static constexpr std::size_t kMaxPeers = 1'000'000;
  static constexpr std::size_t kMaxCauses = 32;  // Per peer; more are not kept.

  // Reads the totals out of a database with the server_schema(), which it borrows until it dies.
  // `max_peers` is for tests.
  static Result<TrafficStore> open(const Database& database, std::size_t max_peers = kMaxPeers);

  // Takes what the device counts for a peer now and returns the totals. Counters that are lower
  // than the last time started again from zero. Nothing is written before flush(). A peer beyond
  // the limit is not kept: its totals are those of the device.
  Traffic record(const PeerKey& peer, const Traffic& device);
  // The totals as far as recorded; zeros for an unknown peer.
  Traffic total(const PeerKey& peer) const;
  // Drops a removed peer's totals, with the next flush() from the file too.
  void forget(const PeerKey& peer);

  // Writes what has changed since the last flush, in one transaction. After a failure everything is
  // tried again by the next one.
  Status flush();

  std::size_t size() const { return peers_.size(); }

 private:
  struct Entry {
    Traffic total;
    Traffic device;  // As last recorded.
    bool is_dirty = false;
  };
  struct KeyHash {
    std::size_t operator()(const PeerKey& key) const;
  };

  TrafficStore(const Database& database, std::size_t max_peers)
      : database_(&database), max_peers_(max_peers) {}
  Status load();
  Status load_failures();
  Status write_changed() const;
  Status delete_forgotten() const;

  const Database* database_;
  std::size_t max_peers_;
  std::unordered_map<PeerKey, Entry, KeyHash> peers_;
  std::vector<PeerKey> forgotten_;
};

}  // namespace ginnel::storage

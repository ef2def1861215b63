#include "store/traffic_store.h"

#include <algorithm>
#include <cstring>
#include <limits>

namespace ginnel::storage {
namespace {

// SQLite's integers are signed, so a total stops at their end instead of turning negative.
constexpr std::uint64_t kMaxTotal = std::numeric_limits<std::int64_t>::max();

void add_growth(std::uint64_t& total, std::uint64_t& last, std::uint64_t now) {
  const std::uint64_t growth = now >= last ? now - last : now;
  last = now;
  total = growth > kMaxTotal - total ? kMaxTotal : total + growth;
}

std::uint64_t* count_of(std::vector<CauseCount>& counts, std::string_view cause) {
  for (CauseCount& entry : counts) {
    if (entry.cause == cause) return &entry.count;
  }
  if (counts.size() >= TrafficStore::kMaxCauses) return nullptr;
  counts.push_back({std::string(cause), 0});
  return &counts.back().count;
}

std::optional<PeerKey> key_of(ByteView blob) {
  PeerKey key;
  if (blob.size() != key.size()) return std::nullopt;
  std::copy(blob.begin(), blob.end(), key.begin());
  return key;
}

// A file that someone edited may hold what this program never writes.
std::uint64_t stored_count(std::int64_t value) {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(value, 0));
}

std::int64_t stored(std::uint64_t count) {
  return static_cast<std::int64_t>(std::min(count, kMaxTotal));
}

}  // namespace

Result<TrafficStore> TrafficStore::open(const Database& database, std::size_t max_peers) {
  TrafficStore store(database, max_peers);
  if (Status loaded = store.load(); !loaded) return pass(std::move(loaded));
  if (Status loaded = store.load_failures(); !loaded) return pass(std::move(loaded));
  return store;
}

Status TrafficStore::load() {
  auto rows = database_->prepare(
      "SELECT peer, rx_bytes, tx_bytes, handshakes, last_handshake_ns, endpoint FROM traffic");
  if (!rows) return pass(std::move(rows));
  for (;;) {
    auto row = rows->step();
    if (!row) return pass(std::move(row));
    if (!*row) return ok();
    const auto key = key_of(rows->blob(0));
    if (!key || peers_.size() >= max_peers_) continue;
    Traffic& total = peers_[*key].total;
    total.rx_bytes = stored_count(rows->integer(1));
    total.tx_bytes = stored_count(rows->integer(2));
    total.handshakes = stored_count(rows->integer(3));
    total.last_handshake = UnixTime(Duration(rows->integer(4)));
    total.endpoint = rows->text(5);
  }
}

Status TrafficStore::load_failures() {
  auto rows = database_->prepare("SELECT peer, cause, count FROM handshake_failures");
  if (!rows) return pass(std::move(rows));
  for (;;) {
    auto row = rows->step();
    if (!row) return pass(std::move(row));
    if (!*row) return ok();
    const auto key = key_of(rows->blob(0));
    const auto entry = key ? peers_.find(*key) : peers_.end();
    if (entry == peers_.end()) continue;
    if (std::uint64_t* count = count_of(entry->second.total.failures, rows->text(1))) {
      *count = stored_count(rows->integer(2));
    }
  }
}

Traffic TrafficStore::record(const PeerKey& peer, const Traffic& device) {
  if (!peers_.contains(peer) && peers_.size() >= max_peers_) return device;
  Entry& entry = peers_[peer];
  if (entry.device == device) return entry.total;
  entry.is_dirty = true;
  add_growth(entry.total.rx_bytes, entry.device.rx_bytes, device.rx_bytes);
  add_growth(entry.total.tx_bytes, entry.device.tx_bytes, device.tx_bytes);
  add_growth(entry.total.handshakes, entry.device.handshakes, device.handshakes);
  entry.device.last_handshake = device.last_handshake;
  entry.total.last_handshake = std::max(entry.total.last_handshake, device.last_handshake);
  entry.device.endpoint = device.endpoint;
  if (!device.endpoint.empty()) entry.total.endpoint = device.endpoint;
  std::vector<CauseCount> last = std::move(entry.device.failures);
  for (const CauseCount& failure : device.failures) {
    std::uint64_t* total = count_of(entry.total.failures, failure.cause);
    std::uint64_t* before = count_of(last, failure.cause);
    if (total && before) add_growth(*total, *before, failure.count);
  }
  entry.device.failures = device.failures;
  return entry.total;
}

Traffic TrafficStore::total(const PeerKey& peer) const {
  const auto entry = peers_.find(peer);
  return entry == peers_.end() ? Traffic{} : entry->second.total;
}

void TrafficStore::forget(const PeerKey& peer) {
  if (peers_.erase(peer) != 0) forgotten_.push_back(peer);
}

Status TrafficStore::flush() {
  const bool is_clean =
      forgotten_.empty() && std::none_of(peers_.begin(), peers_.end(),
                                         [](const auto& entry) { return entry.second.is_dirty; });
  if (is_clean) return ok();
  Status written = database_->in_transaction([&]() -> Status {
    // First, so that a peer that was removed and made again starts from zero.
    if (Status deleted = delete_forgotten(); !deleted) return deleted;
    return write_changed();
  });
  if (!written) return written;
  forgotten_.clear();
  for (auto& [key, entry] : peers_) entry.is_dirty = false;
  return ok();
}

Status TrafficStore::delete_forgotten() const {
  for (const std::string_view sql :
       {std::string_view("DELETE FROM traffic WHERE peer = ?"),
        std::string_view("DELETE FROM handshake_failures WHERE peer = ?")}) {
    auto statement = database_->prepare(sql);
    if (!statement) return pass(std::move(statement));
    for (const PeerKey& peer : forgotten_) {
      if (Status deleted = statement->bind(1, ByteView(peer)).run(); !deleted) return deleted;
    }
  }
  return ok();
}

Status TrafficStore::write_changed() const {
  auto traffic = database_->prepare("INSERT OR REPLACE INTO traffic VALUES (?, ?, ?, ?, ?, ?)");
  if (!traffic) return pass(std::move(traffic));
  auto failures = database_->prepare("INSERT OR REPLACE INTO handshake_failures VALUES (?, ?, ?)");
  if (!failures) return pass(std::move(failures));
  for (const auto& [key, entry] : peers_) {
    if (!entry.is_dirty) continue;
    traffic->bind(1, ByteView(key))
        .bind(2, stored(entry.total.rx_bytes))
        .bind(3, stored(entry.total.tx_bytes))
        .bind(4, stored(entry.total.handshakes))
        .bind(5, std::int64_t{entry.total.last_handshake.time_since_epoch().count()})
        .bind(6, std::string_view(entry.total.endpoint));
    if (Status written = traffic->run(); !written) return written;
    for (const CauseCount& failure : entry.total.failures) {
      failures->bind(1, ByteView(key))
          .bind(2, std::string_view(failure.cause))
          .bind(3, stored(failure.count));
      if (Status written = failures->run(); !written) return written;
    }
  }
  return ok();
}

std::size_t TrafficStore::KeyHash::operator()(const PeerKey& key) const {
  // Public keys are as good as random already.
  std::size_t hash;
  std::memcpy(&hash, key.data(), sizeof hash);
  return hash;
}

}  // namespace ginnel::storage

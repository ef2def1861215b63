#include "core/dns/cache.h"

namespace ginnel::dns {

std::size_t Cache::cost_of(const Entry& entry) {
  return sizeof(Entry) + 2 * entry.key.size() + entry.answer.bytes.size() +
         entry.answer.ttl_places.size() * sizeof(std::uint16_t);
}

std::optional<Cache::Hit> Cache::find(MonoTime now, const std::string& key) {
  const auto found = by_key_.find(key);
  if (found == by_key_.end()) return std::nullopt;
  const Place place = found->second;
  if (now >= place->expires) {
    remove(place);
    return std::nullopt;
  }
  entries_.splice(entries_.begin(), entries_, place);
  const auto age = std::chrono::duration_cast<std::chrono::seconds>(now - place->stored);
  return Hit{&place->answer, static_cast<std::uint32_t>(age.count())};
}

void Cache::put(MonoTime now, const std::string& key, StoredAnswer answer,
                std::uint32_t ttl_seconds) {
  if (const auto found = by_key_.find(key); found != by_key_.end()) remove(found->second);
  if (ttl_seconds == 0 || answer.bytes.size() > kMaxAnswerBytes) return;
  entries_.push_front({key, std::move(answer), now, now + std::chrono::seconds(ttl_seconds)});
  by_key_.emplace(key, entries_.begin());
  bytes_ += cost_of(entries_.front());
  while (entries_.size() > kMaxEntries || bytes_ > kMaxBytes) remove(std::prev(entries_.end()));
}

void Cache::remove(Place place) {
  bytes_ -= cost_of(*place);
  by_key_.erase(place->key);
  entries_.erase(place);
}

void Cache::clear() {
  by_key_.clear();
  entries_.clear();
  bytes_ = 0;
}

}  // namespace ginnel::dns

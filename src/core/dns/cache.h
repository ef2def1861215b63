// Answers that may be given again, positive and negative, for as long as their TTLs say. What was
// used longest ago makes room.
#pragma once

#include <list>
#include <map>

#include "base/time.h"
#include "core/dns/message.h"

namespace ginnel::dns {

class Cache {
 public:
  static constexpr std::size_t kMaxEntries = 10'000;
  static constexpr std::size_t kMaxBytes = 8u << 20;
  // One answer may not push all others out.
  static constexpr std::size_t kMaxAnswerBytes = 16384;

  struct Hit {
    const StoredAnswer* answer;  // Valid until the next call.
    std::uint32_t age_seconds;
  };
  std::optional<Hit> find(MonoTime now, const std::string& key);
  // Replaces what there was. A TTL of zero keeps nothing.
  void put(MonoTime now, const std::string& key, StoredAnswer answer, std::uint32_t ttl_seconds);
  void clear();

  std::size_t size() const { return entries_.size(); }
  std::size_t bytes() const { return bytes_; }

 private:
  struct Entry {
    std::string key;
    StoredAnswer answer;
    MonoTime stored;
    MonoTime expires;
  };
  using Place = std::list<Entry>::iterator;

  static std::size_t cost_of(const Entry& entry);
  void remove(Place place);

  std::list<Entry> entries_;  // The one used last stands first.
  // Ordered: whoever asks chooses the keys, and could choose such as collide.
  std::map<std::string, Place, std::less<>> by_key_;
  std::size_t bytes_ = 0;
};

}  // namespace ginnel::dns

// What decides, under load, whose handshakes are worked on. Both are told the time and hold no
// lock: the control engine owns them.
#pragma once

#include <list>
#include <unordered_map>

#include "base/rng.h"
#include "base/time.h"
#include "net/address.h"

namespace ginnel::wg {

// A token bucket for each source that has proven its address (by mac2). An IPv6 source is its /64,
// because a host may use all of it.
class HandshakeLimiter {
 public:
  static constexpr Duration kInterval = 50ms;  // 20 handshakes a second,
  static constexpr int kBurst = 5;             // five of which may come at once.
  // Sources in the last kBurst * kInterval; more of them are refused until others have been quiet
  // that long. About 1 MB when full.
  static constexpr std::size_t kMaxSources = 8192;

  explicit HandshakeLimiter(Rng& rng);

  // Takes a token of the source's, if it has one.
  bool admit(MonoTime now, const net::Address& source);

  std::size_t size() const { return buckets_.size(); }  // Of sources remembered.

 private:
  struct Network {
    net::Family family;
    std::uint64_t prefix;
    friend bool operator==(const Network&, const Network&) = default;
  };
  struct Bucket {
    Network network;
    MonoTime full_at;  // When all tokens will be back. A bucket that is full need not be kept.
  };
  // Seeded, so that nobody can choose addresses that collide.
  struct Hash {
    std::array<std::uint64_t, 2> seed;
    std::size_t operator()(const Network& network) const noexcept;
  };

  static Network network_of(const net::Address& source);
  void forget_full(MonoTime now);

  std::list<Bucket> buckets_;  // The one admitted last stands last.
  std::unordered_map<Network, std::list<Bucket>::iterator, Hash> by_network_;
};

// Whether handshakes come faster than they can be worked on.
class LoadGauge {
 public:
  // Of waiting handshakes, each of which takes some 0.12 ms: an eighth of the queue.
  static constexpr std::size_t kThreshold = 128;
  // Load comes in waves: without this, each trough would let in messages without a cookie.
  static constexpr Duration kLinger = 1s;

  // From so many on, half of the queue, nobody is given a cookie: to make and send one costs five
  // times what it costs to see that a message has none, and the queue is about to lose messages of
  // those who have theirs.
  static constexpr std::size_t kSwamped = 512;

  void note_depth(std::size_t waiting, MonoTime now) {
    waiting_ = waiting;
    if (waiting >= kThreshold) until_ = now + kLinger;
  }
  bool under_load(MonoTime now) const { return now < until_; }
  bool swamped() const { return waiting_ >= kSwamped; }

 private:
  std::size_t waiting_ = 0;
  MonoTime until_{MonoTime::min()};
};

}  // namespace ginnel::wg

// What UDP sockets have learned about sends that the kernel refused: how large the datagrams to an
// endpoint may be to be joined, and which source addresses are gone. Both are small, bounded and
// forgetful, because routes and addresses come back.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <memory>

#include "net/endpoint.h"

namespace ginnel::os {

// After this many uses an entry is forgotten and the fast way is tried again. At one refused system
// call in so many the try costs nothing.
inline constexpr std::uint32_t kMaxUsesOfALesson = 4096;

class SegmentLimits {
 public:
  static constexpr std::size_t kMaxEndpoints = 256;
  static constexpr std::size_t kNoLimit = std::numeric_limits<std::size_t>::max();

  // The largest datagram to `remote` that may be joined with others. Counts as a use.
  std::size_t of(const net::Endpoint& remote) {
    if (used_ == 0) return kNoLimit;
    Entry& entry = slot(remote);
    if (entry.uses_left == 0 || entry.remote != remote) return kNoLimit;
    if (--entry.uses_left == 0) --used_;
    return entry.limit;
  }

  // Endpoints that share a slot push each other out: the loser only learns again.
  void lower(const net::Endpoint& remote, std::size_t limit) {
    if (!entries_) entries_ = std::make_unique<std::array<Entry, kMaxEndpoints>>();
    Entry& entry = slot(remote);
    if (entry.uses_left == 0) {
      ++used_;
    } else if (entry.remote == remote) {
      limit = std::min(limit, entry.limit);
    }
    entry = {remote, limit, kMaxUsesOfALesson};
  }

 private:
  struct Entry {
    net::Endpoint remote;
    std::size_t limit = 0;
    std::uint32_t uses_left = 0;
  };

  Entry& slot(const net::Endpoint& remote) {
    return (*entries_)[std::hash<net::Endpoint>()(remote) % kMaxEndpoints];
  }

  std::unique_ptr<std::array<Entry, kMaxEndpoints>> entries_;  // Null: nothing was learned.
  std::size_t used_ = 0;
};

class GoneSources {
 public:
  static constexpr std::size_t kMaxAddresses = 4;

  bool empty() const { return used_ == 0; }

  // Counts as a use.
  bool contains(const net::Address& address) {
    if (used_ == 0) return false;
    for (Entry& entry : entries_) {
      if (entry.uses_left == 0 || entry.address != address) continue;
      if (--entry.uses_left == 0) --used_;
      return true;
    }
    return false;
  }

  // The oldest gives way when all places are taken.
  void add(const net::Address& address) {
    Entry& entry = entries_[next_++ % kMaxAddresses];
    if (entry.uses_left == 0) ++used_;
    entry = {address, kMaxUsesOfALesson};
  }

  // Something was received at `address`, so it exists.
  void remove(const net::Address& address) {
    for (Entry& entry : entries_) {
      if (entry.uses_left == 0 || entry.address != address) continue;
      entry.uses_left = 0;
      --used_;
    }
  }

 private:
  struct Entry {
    net::Address address;
    std::uint32_t uses_left = 0;
  };

  std::array<Entry, kMaxAddresses> entries_;
  std::size_t used_ = 0;
  std::size_t next_ = 0;
};

}  // namespace ginnel::os

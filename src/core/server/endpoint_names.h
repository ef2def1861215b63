// Host names that peers are called at: which is to be looked up when, and what is known of each.
// Told the time and the answers; the asking is service/server's.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "core/config/server_peer.h"

namespace ginnel::server {

class EndpointNames {
 public:
  static constexpr std::size_t kMaxLookups = 4;     // At once.
  static constexpr std::size_t kMaxAddresses = 16;  // Kept of one name.
  // Answers come without their time to live. A peer whose address changed is found again within
  // this time of the end of its session.
  static constexpr Duration kRefreshInterval = 60s;
  static constexpr Duration kFirstRetry = 2s;  // Doubles with each failure.
  static constexpr Duration kMaxRetry = 5min;
  // A name that was known before counts as lost only then.
  static constexpr unsigned kTolerableFailures = 2;

  // The names of these peers, no others; what is known of those that stay is kept.
  void follow(MonoTime now, const std::vector<config::ServerPeer>& peers);
  // Names that were not found are due at once: the host's network has changed.
  void retry_failed(MonoTime now);

  // Names to look up now. Each counts as asked until handle_answer() is called for it.
  std::vector<std::string> take_due(MonoTime now);
  MonoTime next_timeout() const;
  void handle_answer(MonoTime now, const std::string& name,
                     Result<std::vector<net::Address>> answer);

  // The best first; empty while nothing is known.
  std::span<const net::Address> addresses_of(std::string_view name) const;

  struct Failure {
    std::string name;
    std::string reason;
    friend bool operator==(const Failure&, const Failure&) = default;
  };
  // The names whose peers cannot be called.
  std::vector<Failure> failures() const;

 private:
  struct Entry {
    std::vector<net::Address> addresses;
    MonoTime due{};  // kNever while it is being looked up.
    unsigned failures = 0;
    std::string reason;  // Of the last failure.
  };

  void schedule(const std::string& name, Entry& entry, MonoTime due);

  std::map<std::string, Entry, std::less<>> entries_;
  std::set<std::pair<MonoTime, std::string>> schedule_;  // Of all that are not being looked up.
  std::set<std::string> asked_;  // Also those that nobody wants the answer of any more.
};

// Where a peer is to be called at instead of at `current`; nothing: it stays. A peer whose session
// lives is left alone, wherever it has roamed to; one that does not answer is called at all its
// addresses in turn.
std::optional<net::Endpoint> next_endpoint(std::span<const net::Address> addresses,
                                           std::uint16_t port,
                                           const std::optional<net::Endpoint>& current,
                                           bool has_session);

}  // namespace ginnel::server

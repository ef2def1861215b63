#include "core/server/endpoint_names.h"

#include <algorithm>

namespace ginnel::server {
namespace {

Duration retry_after(unsigned failures) {
  Duration pause = EndpointNames::kFirstRetry;
  for (unsigned i = 1; i < failures && pause < EndpointNames::kMaxRetry; ++i) pause *= 2;
  return std::min(pause, EndpointNames::kMaxRetry);
}

}  // namespace

void EndpointNames::schedule(const std::string& name, Entry& entry, MonoTime due) {
  schedule_.erase({entry.due, name});
  entry.due = due;
  if (due != kNever) schedule_.emplace(due, name);
}

void EndpointNames::follow(MonoTime now, const std::vector<config::ServerPeer>& peers) {
  std::set<std::string_view> wanted;
  for (const config::ServerPeer& peer : peers) {
    if (peer.enabled && peer.endpoint && !peer.endpoint->address()) {
      wanted.insert(peer.endpoint->host);
    }
  }
  std::erase_if(entries_, [&](const auto& entry) {
    if (wanted.contains(entry.first)) return false;
    schedule_.erase({entry.second.due, entry.first});
    return true;
  });
  for (const std::string_view name : wanted) {
    const auto [entry, is_new] = entries_.try_emplace(std::string(name));
    if (!is_new) continue;
    // The answer to an older question will do.
    schedule(entry->first, entry->second, asked_.contains(entry->first) ? kNever : now);
  }
}

void EndpointNames::retry_failed(MonoTime now) {
  for (auto& [name, entry] : entries_) {
    if (entry.failures != 0 && entry.due != kNever) schedule(name, entry, now);
  }
}

std::vector<std::string> EndpointNames::take_due(MonoTime now) {
  std::vector<std::string> due;
  while (asked_.size() < kMaxLookups && !schedule_.empty() && schedule_.begin()->first <= now) {
    const std::string name = schedule_.begin()->second;
    schedule(name, entries_.find(name)->second, kNever);
    asked_.insert(name);
    due.push_back(name);
  }
  return due;
}

MonoTime EndpointNames::next_timeout() const {
  const bool may_ask = asked_.size() < kMaxLookups && !schedule_.empty();
  return may_ask ? schedule_.begin()->first : kNever;
}

void EndpointNames::handle_answer(MonoTime now, const std::string& name,
                                  Result<std::vector<net::Address>> answer) {
  asked_.erase(name);
  const auto found = entries_.find(name);
  if (found == entries_.end()) return;
  Entry& entry = found->second;
  if (answer && !answer->empty()) {
    entry.addresses = std::move(*answer);
    entry.addresses.resize(std::min(entry.addresses.size(), kMaxAddresses));
    entry.failures = 0;
    entry.reason.clear();
    schedule(name, entry, now + kRefreshInterval);
    return;
  }
  ++entry.failures;
  entry.reason = answer ? name + ": has no address" : std::move(answer.error().message);
  schedule(name, entry, now + retry_after(entry.failures));
}

std::span<const net::Address> EndpointNames::addresses_of(std::string_view name) const {
  const auto found = entries_.find(name);
  if (found == entries_.end()) return {};
  return found->second.addresses;
}

std::vector<EndpointNames::Failure> EndpointNames::failures() const {
  std::vector<Failure> failures;
  for (const auto& [name, entry] : entries_) {
    const unsigned tolerable = entry.addresses.empty() ? 0 : kTolerableFailures;
    if (entry.failures > tolerable) failures.push_back({name, entry.reason});
  }
  return failures;
}

std::optional<net::Endpoint> next_endpoint(std::span<const net::Address> addresses,
                                           std::uint16_t port,
                                           const std::optional<net::Endpoint>& current,
                                           bool has_session) {
  if (addresses.empty() || (current && has_session)) return std::nullopt;
  auto next = addresses.begin();
  if (current && current->port == port) {
    const auto known = std::ranges::find(addresses, current->address);
    if (known != addresses.end() && known + 1 != addresses.end()) next = known + 1;
  }
  const net::Endpoint endpoint{*next, port, 0};
  return current == endpoint ? std::nullopt : std::optional(endpoint);
}

}  // namespace ginnel::server

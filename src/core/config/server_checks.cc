#include "core/config/server_checks.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>
#include <unordered_map>

namespace ginnel::config {
namespace {

std::string to_string(const Subnets& subnets) {
  if (!subnets.v6) return subnets.v4.to_string();
  return fmt::format("{} and {}", subnets.v4.to_string(), subnets.v6->to_string());
}

template <class... Args>
std::unexpected<Error> wrong(const ServerPeer& peer, fmt::format_string<Args...> format,
                             Args&&... args) {
  return fail(
      ErrorCode::InvalidArgument,
      fmt::format("{}: {}", peer.to_string(), fmt::format(format, std::forward<Args>(args)...)));
}

// Without `addresses`, every single address in allowed_ips is the client's: that is how seed files
// and flags are written.
Status complete_peer(const Subnets& subnets, ServerPeer& peer) {
  if (peer.addresses.empty()) {
    for (const net::Prefix& prefix : peer.allowed_ips) {
      if (!prefix.is_host()) continue;
      if (!subnets.contain(prefix.address())) {
        return wrong(peer,
                     "{} is outside the subnet {}; give it an address in there, or change "
                     "the subnet",
                     prefix.to_string(), to_string(subnets));
      }
      peer.addresses.push_back(prefix.address());
    }
  }
  for (const net::Address& address : peer.addresses) {
    const bool is_routed =
        std::any_of(peer.allowed_ips.begin(), peer.allowed_ips.end(),
                    [&](const net::Prefix& prefix) { return prefix.contains(address); });
    if (!is_routed) peer.allowed_ips.push_back(net::Prefix::host(address));
  }
  return ok();
}

Status check_addresses(const Subnets& subnets, const HostAddresses& own, const ServerPeer& peer) {
  for (const net::Address& address : peer.addresses) {
    const std::string text = address.to_string();
    if (!subnets.contain(address)) {
      return wrong(peer,
                   "{} is outside the subnet {}; give it an address in there, or change the "
                   "subnet",
                   text, to_string(subnets));
    }
    if (address == subnets.v4.address() || address == subnets.v4.last() ||
        (subnets.v6 && address == subnets.v6->address())) {
      return wrong(peer,
                   "{} is not for hosts: it is the first or last address of the subnet {}; "
                   "choose one between",
                   text, (address.is_v4() ? subnets.v4 : *subnets.v6).to_string());
    }
  }
  for (const net::Prefix& prefix : peer.allowed_ips) {
    for (const std::optional<net::Address>& mine : {std::optional(own.v4), own.v6}) {
      if (!mine || !prefix.contains(*mine)) continue;
      return wrong(peer,
                   "{} takes in the server's own address {}; allow only what is behind this "
                   "peer",
                   prefix.to_string(), mine->to_string());
    }
  }
  return ok();
}

std::unexpected<Error> same(const ServerPeer& a, const ServerPeer& b, std::string_view what,
                            std::string_view remedy) {
  return fail(ErrorCode::Conflict, fmt::format("{} and {} have the same {}; {}", a.to_string(),
                                               b.to_string(), what, remedy));
}

Status check_names_and_keys(const std::vector<ServerPeer>& peers) {
  std::unordered_map<std::string_view, const ServerPeer*> by_name;
  std::unordered_map<crypto::PublicKey, const ServerPeer*> by_key;
  for (const ServerPeer& peer : peers) {
    const auto key = by_key.emplace(peer.public_key, &peer);
    if (!key.second) {
      return same(*key.first->second, peer, "public key", "remove one of them");
    }
    const auto name = by_name.emplace(peer.name, &peer);
    if (!name.second) {
      return same(*name.first->second, peer, "name", "rename one of them");
    }
  }
  return ok();
}

// Two prefixes overlap only if one holds the other, and in sorted order whatever holds a prefix
// stands before it: a stack of the open ones finds every pair.
Status check_overlaps(const std::vector<ServerPeer>& peers) {
  using Entry = std::pair<net::Prefix, const ServerPeer*>;
  std::vector<Entry> entries;
  for (const ServerPeer& peer : peers) {
    for (const net::Prefix& prefix : peer.allowed_ips) entries.emplace_back(prefix, &peer);
  }
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
    return std::tie(a.first, a.second->name) < std::tie(b.first, b.second->name);
  });
  std::vector<const Entry*> open;
  for (const Entry& entry : entries) {
    while (!open.empty() && !open.back()->first.contains(entry.first)) open.pop_back();
    if (!open.empty() && open.back()->second != entry.second) {
      const Entry& other = *open.back();
      return fail(ErrorCode::Conflict,
                  other.first == entry.first
                      ? fmt::format("{} and {} both have {}; an address belongs to one peer only",
                                    other.second->to_string(), entry.second->to_string(),
                                    entry.first.to_string())
                      : fmt::format("{} of {} overlaps {} of {}; an address belongs to one peer "
                                    "only",
                                    other.first.to_string(), other.second->to_string(),
                                    entry.first.to_string(), entry.second->to_string()));
    }
    open.push_back(&entry);
  }
  return ok();
}

}  // namespace

Status complete_peers(const Subnets& subnets, const HostAddresses& own,
                      std::vector<ServerPeer>& peers) {
  if (peers.size() > kMaxServerPeers) {
    return fail(ErrorCode::Exhausted, fmt::format("there are {} peers; one server takes at most {}",
                                                  peers.size(), kMaxServerPeers));
  }
  for (ServerPeer& peer : peers) {
    if (Status complete = complete_peer(subnets, peer); !complete) return complete;
    if (Status good = check_addresses(subnets, own, peer); !good) return good;
  }
  if (Status good = check_names_and_keys(peers); !good) return good;
  return check_overlaps(peers);
}

}  // namespace ginnel::config

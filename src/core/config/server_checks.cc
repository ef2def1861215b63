#include "core/config/server_checks.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>
#include <unordered_map>

namespace ginnel::config {
namespace {

// A key of a peer's, where it is written.
struct Written {
  std::string_view key;
  std::uint32_t line;
};

Written addresses_of(const ServerPeer& peer) {
  if (peer.lines.addresses == 0) return {"allowed_ips", peer.lines.allowed_ips};
  return {"addresses", peer.lines.addresses};
}
// An address of the peer's is routed to it without being in allowed_ips.
Written written(const ServerPeer& peer, const net::Prefix& prefix) {
  const bool is_own = prefix.is_host() &&
                      std::ranges::find(peer.addresses, prefix.address()) != peer.addresses.end();
  return is_own ? addresses_of(peer) : Written{"allowed_ips", peer.lines.allowed_ips};
}

template <class... Args>
std::unexpected<Error> wrong(const ServerPeer& peer, Written where,
                             fmt::format_string<Args...> format, Args&&... args) {
  return fail(ErrorCode::InvalidArgument,
              fmt::format("{}: {}", peer.place_of(where.key, where.line),
                          fmt::format(format, std::forward<Args>(args)...)));
}

// Without `addresses`, every single address in allowed_ips is the client's: that is how seed files
// and flags are written.
Status complete_peer(const Subnets& subnets, ServerPeer& peer) {
  if (peer.addresses.empty()) {
    for (const net::Prefix& prefix : peer.allowed_ips) {
      if (!prefix.is_host()) continue;
      if (!subnets.contain(prefix.address())) {
        return wrong(peer, addresses_of(peer),
                     "{} is outside the subnet {}; give it an address in there, or change "
                     "the subnet",
                     prefix.to_string(), subnets.to_string());
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
      return wrong(peer, addresses_of(peer),
                   "{} is outside the subnet {}; give it an address in there, or change the "
                   "subnet",
                   text, subnets.to_string());
    }
    if (address == subnets.v4.address() || address == subnets.v4.last() ||
        (subnets.v6 && address == subnets.v6->address())) {
      return wrong(peer, addresses_of(peer),
                   "{} is not for hosts: it is the first or last address of the subnet {}; "
                   "choose one between",
                   text, (address.is_v4() ? subnets.v4 : *subnets.v6).to_string());
    }
  }
  for (const net::Prefix& prefix : peer.allowed_ips) {
    for (const std::optional<net::Address>& mine : {std::optional(own.v4), own.v6}) {
      if (!mine || !prefix.contains(*mine)) continue;
      return wrong(peer, written(peer, prefix),
                   "{} takes in the server's own address {}; allow only what is behind this "
                   "peer",
                   prefix.to_string(), mine->to_string());
    }
  }
  return ok();
}

Status check_names_and_keys(const std::vector<ServerPeer>& peers) {
  std::unordered_map<std::string_view, const ServerPeer*> by_name;
  std::unordered_map<crypto::PublicKey, const ServerPeer*> by_key;
  for (const ServerPeer& peer : peers) {
    if (const auto [known, is_new] = by_key.emplace(peer.public_key, &peer); !is_new) {
      const ServerPeer& other = *known->second;
      return fail(ErrorCode::Conflict,
                  fmt::format("{}: the same public key as {}; remove one of them",
                              peer.place_of("public_key", peer.lines.public_key),
                              other.to_string(other.lines.public_key)));
    }
    if (const auto [known, is_new] = by_name.emplace(peer.name, &peer); !is_new) {
      return fail(ErrorCode::Conflict, fmt::format("{}: the same name as {}; rename one of them",
                                                   peer.to_string(), known->second->to_string()));
    }
  }
  return ok();
}

std::unexpected<Error> both_have(const ServerPeer& other, const net::Prefix& theirs,
                                 const ServerPeer& peer, const net::Prefix& prefix) {
  const Written where = written(peer, prefix);
  const std::string owner = other.to_string(written(other, theirs).line);
  const std::string text =
      theirs == prefix
          ? fmt::format("{} belongs to {} too", prefix.to_string(), owner)
          : fmt::format("{} overlaps {} of {}", prefix.to_string(), theirs.to_string(), owner);
  return fail(ErrorCode::Conflict, fmt::format("{}: {}; an address belongs to one peer only",
                                               peer.place_of(where.key, where.line), text));
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
      return both_have(*other.second, other.first, *entry.second, entry.first);
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

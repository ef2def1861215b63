#include "core/config/address_pool.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/check.h"

namespace ginnel::config {
namespace {

unsigned host_bits(const net::Prefix& subnet) { return bits_of(subnet.family()) - subnet.length(); }

}  // namespace

Status check_subnet(const net::Prefix& v4) {
  if (v4.family() != net::Family::V4) {
    return fail(
        ErrorCode::InvalidArgument,
        fmt::format("{} is IPv6; write an IPv4 subnet like 10.200.100.0/24", v4.to_string()));
  }
  if (v4.length() > kMaxSubnetLength) {
    return fail(ErrorCode::InvalidArgument,
                fmt::format("{} is too small for a server and a client; write a /{} or larger",
                            v4.to_string(), kMaxSubnetLength));
  }
  if (v4.length() < kMinSubnetLength) {
    return fail(ErrorCode::InvalidArgument, fmt::format("{} is too large; write a /{} or smaller",
                                                        v4.to_string(), kMinSubnetLength));
  }
  const bool is_usable = !v4.address().is_loopback() && !v4.address().is_multicast() &&
                         !v4.address().is_link_local() && v4.address().bytes()[0] != 0 &&
                         v4.address().bytes()[0] < 240;
  if (!is_usable) {
    return fail(ErrorCode::InvalidArgument,
                fmt::format("{} is not for hosts; write a private subnet like 10.200.100.0/24",
                            v4.to_string()));
  }
  return ok();
}

Status check_subnet6(const net::Prefix& v4, const net::Prefix& v6) {
  if (v6.family() != net::Family::V6) {
    return fail(
        ErrorCode::InvalidArgument,
        fmt::format("{} is IPv4; write an IPv6 subnet like fd12:3456:789a:1::/64", v6.to_string()));
  }
  if (host_bits(v6) < host_bits(v4)) {
    return fail(ErrorCode::InvalidArgument,
                fmt::format("{} has fewer addresses than {}; write a /{} or larger", v6.to_string(),
                            v4.to_string(), 128 - host_bits(v4)));
  }
  if (v6.length() < kMinSubnet6Length) {
    return fail(ErrorCode::InvalidArgument,
                fmt::format("{} is too large; write a /{}", v6.to_string(), kSubnet6Length));
  }
  const bool is_usable =
      !v6.address().is_multicast() && !v6.address().is_link_local() && v6.address().bytes()[0] != 0;
  if (!is_usable) {
    return fail(ErrorCode::InvalidArgument,
                fmt::format("{} is not for hosts; write a subnet like fd12:3456:789a:1::/64",
                            v6.to_string()));
  }
  return ok();
}

std::string Subnets::to_string() const {
  return v6 ? fmt::format("{} and {}", v4.to_string(), v6->to_string()) : v4.to_string();
}

std::optional<std::uint32_t> host_number(const net::Prefix& subnet, const net::Address& address) {
  const ByteView bytes = address.bytes();
  const ByteView base = subnet.address().bytes();
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (number >> 24 != 0) return std::nullopt;
    // The base has no host bits, so the difference is what stands there.
    number = (number << 8) | static_cast<std::uint8_t>(bytes[i] ^ base[i]);
  }
  return static_cast<std::uint32_t>(number);
}

HostAddresses host_addresses(const Subnets& subnets, std::uint32_t host) {
  HostAddresses addresses{subnets.v4.address().plus(host), std::nullopt};
  CHECK(subnets.v4.contains(addresses.v4));
  if (subnets.v6) addresses.v6 = subnets.v6->address().plus(host);
  return addresses;
}

net::Prefix choose_subnet6(Rng& rng) {
  std::array<std::uint8_t, 16> bytes{};
  rng.fill(ByteSpan(bytes).first(8));
  bytes[0] = 0xfd;
  return net::Prefix::masking(net::Address::v6(bytes), kSubnet6Length);
}

bool is_unique_local(const net::Address& address) {
  return !address.is_v4() && address.bytes()[0] == 0xfd;
}

AddressPool::AddressPool(const Subnets& subnets)
    : subnets_(subnets), hosts_(std::uint64_t{1} << host_bits(subnets.v4)) {
  CHECK(check_subnet(subnets.v4) && (!subnets.v6 || check_subnet6(subnets.v4, *subnets.v6)));
  claim_hosts(0, 0);
  claim_hosts(hosts_ - 1, hosts_ - 1);
}

void AddressPool::claim(const net::Prefix& prefix) {
  for (const std::optional<net::Prefix>& subnet : {std::optional(subnets_.v4), subnets_.v6}) {
    if (!subnet || !subnet->overlaps(prefix)) continue;
    if (prefix.contains(*subnet)) return claim_hosts(0, hosts_ - 1);
    const auto first = host_number(*subnet, prefix.address());
    if (!first || *first >= hosts_) continue;
    const auto last = host_number(*subnet, prefix.last());
    claim_hosts(*first, last ? std::min<std::uint64_t>(*last, hosts_ - 1) : hosts_ - 1);
  }
}

Result<HostAddresses> AddressPool::allocate() {
  CHECK(!claimed_.empty() && claimed_.begin()->first == 0);  // The network address.
  const std::uint64_t host = claimed_.begin()->second + 1;
  if (host >= hosts_) {
    return fail(ErrorCode::Exhausted,
                fmt::format("subnet {} has no free address left: remove a peer, or give the server "
                            "a larger one with --subnet",
                            subnets_.v4.to_string()));
  }
  claim_hosts(host, host);
  return host_addresses(subnets_, static_cast<std::uint32_t>(host));
}

bool AddressPool::is_free(const net::Address& address) const {
  for (const std::optional<net::Prefix>& subnet : {std::optional(subnets_.v4), subnets_.v6}) {
    if (!subnet || !subnet->contains(address)) continue;
    const auto host = host_number(*subnet, address);
    return host && *host < hosts_ && !is_claimed(*host);
  }
  return false;
}

std::uint64_t AddressPool::free_count() const {
  std::uint64_t free = hosts_;
  for (const auto& [first, last] : claimed_) free -= last - first + 1;
  return free;
}

void AddressPool::claim_hosts(std::uint64_t first, std::uint64_t last) {
  // Everything that overlaps or touches becomes one range.
  auto next = claimed_.upper_bound(first);
  if (next != claimed_.begin() && std::prev(next)->second + 1 >= first) --next;
  while (next != claimed_.end() && next->first <= last + 1) {
    first = std::min(first, next->first);
    last = std::max(last, next->second);
    next = claimed_.erase(next);
  }
  claimed_.emplace(first, last);
}

bool AddressPool::is_claimed(std::uint64_t host) const {
  const auto next = claimed_.upper_bound(host);
  return next != claimed_.begin() && std::prev(next)->second >= host;
}

}  // namespace ginnel::config

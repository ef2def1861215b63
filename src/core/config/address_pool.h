// Addresses for the clients of a server: which of its subnets' addresses are taken, and the next
// that is free. It holds no state of its own between runs: what the peers' files say is claimed
// again at each start, so an address stays with its peer for as long as the file exists.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "base/rng.h"
#include "net/prefix.h"

namespace ginnel::config {

// The two ranges of a server. IPv6 may be off.
struct Subnets {
  net::Prefix v4;
  std::optional<net::Prefix> v6;

  bool contain(const net::Address& address) const {
    return v4.contains(address) || (v6 && v6->contains(address));
  }
  std::string to_string() const;  // "10.200.100.0/24 and fd12:3456:789a:1::/64"
};

// The addresses of one host: the same host number in both ranges, so that a person who knows one
// knows the other: 10.200.100.7 and fd12:3456:789a:1::7.
struct HostAddresses {
  net::Address v4;
  std::optional<net::Address> v6;

  friend bool operator==(const HostAddresses&, const HostAddresses&) = default;
};

// IPv4 subnets have room for a server and one client at least, and do not span unrelated networks.
inline constexpr unsigned kMinSubnetLength = 8;
inline constexpr unsigned kMaxSubnetLength = 30;
inline constexpr unsigned kMinSubnet6Length = 16;
inline constexpr unsigned kSubnet6Length = 64;

// Whether a server can use these. Says what is wrong with which, without naming a flag.
Status check_subnet(const net::Prefix& v4);
Status check_subnet6(const net::Prefix& v4, const net::Prefix& v6);

// The number of an address within its subnet, from 0; none when it does not fit 32 bits, as no host
// number does that has an IPv4 counterpart. REQUIRES: the subnet contains the address.
std::optional<std::uint32_t> host_number(const net::Prefix& subnet, const net::Address& address);

// REQUIRES: `host`, a host number, fits both subnets.
HostAddresses host_addresses(const Subnets& subnets, std::uint32_t host);

// A random unique local /64 (RFC 4193), to be chosen once and kept.
net::Prefix choose_subnet6(Rng& rng);
// Whether it could be of one.
bool is_unique_local(const net::Address& address);

class AddressPool {
 public:
  // REQUIRES: both subnets pass their check. Network and broadcast addresses are never given out.
  explicit AddressPool(const Subnets& subnets);

  // Nobody else gets an address of this prefix from now on. Prefixes outside the subnets and ones
  // claimed before are harmless; the prefix may also hold a whole subnet.
  void claim(const net::Prefix& prefix);

  // The lowest host number that is free in both subnets, claimed. Fails when there is none, naming
  // the subnet and the flag that makes it larger.
  Result<HostAddresses> allocate();

  bool is_free(const net::Address& address) const;
  // How many more times allocate() will succeed.
  std::uint64_t free_count() const;

 private:
  void claim_hosts(std::uint64_t first, std::uint64_t last);
  bool is_claimed(std::uint64_t host) const;

  Subnets subnets_;
  std::uint64_t hosts_ = 0;  // Host numbers in the IPv4 subnet, network and broadcast included.
  std::map<std::uint64_t, std::uint64_t> claimed_;  // First to last; neither overlap nor touch.
};

}  // namespace ginnel::config

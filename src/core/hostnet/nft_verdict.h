// What a loaded ruleset does to a packet of which only some fields are known. Rules that cannot be
// read, or that look at what is not known, may or may not match: the answer is then uncertain.
#pragma once

#include <optional>
#include <string>

#include "core/hostnet/nft_ruleset.h"

namespace ginnel::hostnet::nft {

// The socket that sends a packet.
struct SendingSocket {
  std::optional<std::uint32_t> user{};   // Absent: its program has closed it.
  std::vector<std::uint64_t> cgroups{};  // From the first level below the root.
};

// Absent: it may be anything.
struct PartialPacket {
  net::Family family = net::Family::V4;
  std::optional<std::string> in_interface{};
  std::optional<std::uint32_t> in_index{};
  std::optional<std::string> out_interface{};
  std::optional<std::uint32_t> out_index{};
  std::optional<net::Address> source{};
  std::optional<net::Address> destination{};
  std::optional<Protocol> protocol{};
  std::optional<std::uint16_t> source_port{};
  std::optional<std::uint16_t> destination_port{};
  std::optional<std::uint32_t> mark = 0;
  std::optional<std::uint8_t> icmp_type{};
  std::optional<std::uint8_t> hop_limit{};
  std::optional<std::uint32_t> connection_mark{};
  std::optional<ConnWay> way{};
  std::optional<SendingSocket> socket{};
  ConnState state = kNew;
  bool later_fragment = false;  // And so without ports.
  AddressType source_type = AddressType::Unicast;
  AddressType destination_type = AddressType::Unicast;
  bool reverse_path = true;  // It came from where its answers go.
};

struct Judgement {
  bool dropped = false;
  // False when a rule before the decision might have let the packet through.
  bool certain = true;
  // Where it was dropped; by the base chain's policy when there is no rule.
  std::string chain{};
  std::optional<std::uint64_t> rule_handle{};
  bool rejected = false;
  std::optional<std::uint32_t> mark{};  // The packet's, afterwards. Absent: it may be anything.
};

// REQUIRES: `chain` is a base chain of `table`. Rules that might match and drop are taken not to
// match: they are what every firewall has against oddities. Those that might match and accept make
// the judgement uncertain.
Judgement judge(const ListedTable& table, const ListedChain& chain, const PartialPacket& packet);

}  // namespace ginnel::hostnet::nft

// nftables rulesets as values: the part of its language that ginnel writes. Printed for people by
// nft_print.h, lowered to what the kernel runs by nft_lower.h.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "net/prefix.h"

namespace ginnel::hostnet::nft {

inline constexpr std::size_t kMaxNameLength = 255;  // The kernel's NFT_NAME_MAXLEN, less the zero.
inline constexpr std::size_t kMaxCommentLength = 127;      // What nft(8) reads back.
inline constexpr std::size_t kMaxListLength = 1024;        // Members of one anonymous set.
inline constexpr std::size_t kMaxMapLength = 1024 * 1024;  // Members of a verdict map.
inline constexpr std::size_t kMaxInterfaceLength = 15;
inline constexpr std::size_t kMaxLogPrefixLength = 126;
inline constexpr unsigned kMaxCgroupLevel = 255;

enum class Family : std::uint8_t { Ip, Ip6, Inet, Arp, Bridge, Netdev };
enum class Hook : std::uint8_t { Prerouting, Input, Forward, Output, Postrouting, Ingress, Egress };
enum class ChainType : std::uint8_t { Filter, Nat, Route };
enum class Policy : std::uint8_t { Accept, Drop };

// Well-known priorities of base chains.
inline constexpr int kPriorityRaw = -300;
inline constexpr int kPriorityMangle = -150;
inline constexpr int kPriorityFilter = 0;
inline constexpr int kPrioritySourceNat = 100;
inline constexpr int kPriorityAfterNat = 300;

enum class Direction : std::uint8_t { In, Out };
enum class Side : std::uint8_t { Source, Destination };
enum class MarkOf : std::uint8_t { Packet, Connection };
enum class Is : bool { No, Yes };  // Whether a match must hold or must not.

enum class Protocol : std::uint8_t { Icmp = 1, Tcp = 6, Udp = 17, Icmp6 = 58 };

// What follows matches: a packet that does not fit leaves the rule.

// iifname, oifname. A name that ends in '*' stands for every name that begins so, alone in its
// list.
struct InterfaceIs {
  Direction direction = Direction::In;
  std::vector<std::string> names{};
  Is is = Is::Yes;
  friend bool operator==(const InterfaceIs&, const InterfaceIs&) = default;
};

// ip saddr, ip6 daddr. All prefixes are of one family.
struct AddressIn {
  Side side = Side::Source;
  std::vector<net::Prefix> prefixes{};
  Is is = Is::Yes;
  friend bool operator==(const AddressIn&, const AddressIn&) = default;
};

// ip saddr @NAME: what the set of the table holds at this moment.
struct AddressInSet {
  net::Family family = net::Family::V4;
  Side side = Side::Source;
  std::string set{};
  friend bool operator==(const AddressInSet&, const AddressInSet&) = default;
};

// meta nfproto.
struct FamilyIs {
  net::Family family = net::Family::V4;
  friend bool operator==(const FamilyIs&, const FamilyIs&) = default;
};

// meta protocol: of what carries the frame. Netdev chains only.
enum class EtherType : std::uint16_t { Arp = 0x0806 };
struct EtherTypeIs {
  EtherType type = EtherType::Arp;
  friend bool operator==(const EtherTypeIs&, const EtherTypeIs&) = default;
};

// meta l4proto.
struct ProtocolIn {
  std::vector<Protocol> protocols{};
  friend bool operator==(const ProtocolIn&, const ProtocolIn&) = default;
};

struct PortRange {
  std::uint16_t first = 0;
  std::uint16_t last = 0;
  static PortRange one(std::uint16_t port) { return {port, port}; }
  friend auto operator<=>(const PortRange&, const PortRange&) = default;
};

// tcp dport, udp sport.
struct PortIn {
  Protocol protocol = Protocol::Udp;
  Side side = Side::Destination;
  std::vector<PortRange> ports{};
  Is is = Is::Yes;
  friend bool operator==(const PortIn&, const PortIn&) = default;
};

// meta mark, ct mark: (mark & mask) == value.
struct MarkIs {
  MarkOf of = MarkOf::Packet;
  std::uint32_t value = 0;
  std::uint32_t mask = 0xffffffff;
  Is is = Is::Yes;
  friend bool operator==(const MarkIs&, const MarkIs&) = default;
};

// The kernel's bits of a connection's state; a match lists any of them.
enum ConnState : std::uint8_t {
  kInvalid = 1,
  kEstablished = 2,
  kRelated = 4,
  kNew = 8,
  kUntracked = 64,
};
struct ConnStateIn {
  std::uint8_t states = 0;
  friend bool operator==(const ConnStateIn&, const ConnStateIn&) = default;
};

// ct direction: whether the packet goes the way that the first of its connection went.
enum class ConnWay : std::uint8_t { Original = 0, Reply = 1 };
struct ConnWayIs {
  ConnWay way = ConnWay::Original;
  friend bool operator==(const ConnWayIs&, const ConnWayIs&) = default;
};

// ct original ip saddr, ct reply ip6 saddr: an address of the packets that go this way. The source
// of the reply is where the connection really leads, whatever was translated. All of one family.
struct ConnAddressIn {
  ConnWay way = ConnWay::Original;
  Side side = Side::Source;
  std::vector<net::Prefix> prefixes{};
  friend bool operator==(const ConnAddressIn&, const ConnAddressIn&) = default;
};

// meta l4proto tcp ct reply proto-src: a port of the packets that go this way.
struct ConnPortIn {
  Protocol protocol = Protocol::Udp;
  ConnWay way = ConnWay::Original;
  Side side = Side::Source;
  PortRange ports{};
  friend bool operator==(const ConnPortIn&, const ConnPortIn&) = default;
};

// ct status & snat: whether the connection's source is translated.
struct SourceTranslated {
  Is is = Is::Yes;
  friend bool operator==(const SourceTranslated&, const SourceTranslated&) = default;
};

// arp daddr ip: the address that somebody asks for, in tables of that family.
struct ArpTargetIn {
  net::Prefix prefix{};
  friend bool operator==(const ArpTargetIn&, const ArpTargetIn&) = default;
};

// fib saddr type, fib daddr type: what kind of address it is to this host.
enum class AddressType : std::uint8_t { Unicast = 1, Local = 2, Broadcast = 3, Multicast = 5 };
struct AddressTypeIs {
  Side side = Side::Source;
  AddressType type = AddressType::Local;
  Is is = Is::Yes;
  friend bool operator==(const AddressTypeIs&, const AddressTypeIs&) = default;
};

// fib saddr . iif oif missing: no route back to the source through where it came from.
struct ReversePathMissing {
  friend bool operator==(const ReversePathMissing&, const ReversePathMissing&) = default;
};

// icmp type, icmpv6 type.
struct IcmpTypeIn {
  net::Family family = net::Family::V6;
  std::vector<std::uint8_t> types{};
  friend bool operator==(const IcmpTypeIn&, const IcmpTypeIn&) = default;
};

// ip6 hoplimit.
struct HopLimitIs {
  std::uint8_t value = 255;
  friend bool operator==(const HopLimitIs&, const HopLimitIs&) = default;
};

// meta skuid: whose socket sends it. What has none, such as the rest of a connection that its
// program has closed, leaves the rule, whether it must hold or must not.
struct SocketUserIs {
  std::uint32_t user = 0;
  Is is = Is::Yes;
  friend bool operator==(const SocketUserIs&, const SocketUserIs&) = default;
};
// No user has this number: what is not its own belongs to somebody.
inline constexpr std::uint32_t kNoUser = 0xffffffff;

// socket cgroupv2: the socket was made in this group or one below it.
struct SocketCgroupIs {
  std::string path{};    // Below the root: "system.slice/backup.service".
  std::uint64_t id = 0;  // What the kernel compares; its folder's inode.
  unsigned level() const { return static_cast<unsigned>(std::ranges::count(path, '/')) + 1; }
  friend bool operator==(const SocketCgroupIs&, const SocketCgroupIs&) = default;
};

// ip frag-off, frag frag-off: a fragment but the first, which alone has ports.
struct LaterFragment {
  net::Family family = net::Family::V4;
  friend bool operator==(const LaterFragment&, const LaterFragment&) = default;
};

// tcp flags syn / syn,rst: the first segment of a connection, and its answer.
struct TcpSyn {
  friend bool operator==(const TcpSyn&, const TcpSyn&) = default;
};

// What follows acts.

struct Counter {
  friend bool operator==(const Counter&, const Counter&) = default;
};

struct Log {
  std::string prefix{};
  friend bool operator==(const Log&, const Log&) = default;
};

// meta mark set, ct mark set: mark = (mark & ~mask) | value, over the bits of `mask` only.
struct SetMark {
  MarkOf of = MarkOf::Packet;
  std::uint32_t value = 0;
  std::uint32_t mask = 0xffffffff;
  friend bool operator==(const SetMark&, const SetMark&) = default;
};

// ct mark set meta mark (save), meta mark set ct mark (restore), through a mask.
struct CopyMark {
  MarkOf to = MarkOf::Connection;
  std::uint32_t mask = 0xffffffff;
  friend bool operator==(const CopyMark&, const CopyMark&) = default;
};

// tcp option maxseg size set rt mtu: the MSS fits the smaller MTU of the way there and back.
struct ClampMss {
  friend bool operator==(const ClampMss&, const ClampMss&) = default;
};

// The connection tracker does not look at the packet.
struct NoTrack {
  friend bool operator==(const NoTrack&, const NoTrack&) = default;
};

struct Masquerade {
  std::optional<PortRange> ports{};  // Present: TCP and UDP only, which the rule has to say.
  bool random = false;               // Else the port stays when it is free.
  friend bool operator==(const Masquerade&, const Masquerade&) = default;
};

struct SourceNat {
  net::Address to{};
  friend bool operator==(const SourceNat&, const SourceNat&) = default;
};

struct Accept {
  friend bool operator==(const Accept&, const Accept&) = default;
};
struct Drop {
  friend bool operator==(const Drop&, const Drop&) = default;
};
struct Return {
  friend bool operator==(const Return&, const Return&) = default;
};
enum class RejectWith : std::uint8_t { PortUnreachable = 1, AdminProhibited = 3 };
struct Reject {
  RejectWith with = RejectWith::PortUnreachable;
  friend bool operator==(const Reject&, const Reject&) = default;
};
struct Jump {
  std::string chain{};
  friend bool operator==(const Jump&, const Jump&) = default;
};
struct Goto {
  std::string chain{};
  friend bool operator==(const Goto&, const Goto&) = default;
};

// ct original ip saddr vmap @NAME: goes on where the map of the table leads.
struct ConnAddressMap {
  net::Family family = net::Family::V4;
  ConnWay way = ConnWay::Original;
  Side side = Side::Source;
  std::string map{};
  friend bool operator==(const ConnAddressMap&, const ConnAddressMap&) = default;
};

using Term = std::variant<InterfaceIs, AddressIn, AddressInSet, FamilyIs, EtherTypeIs, ProtocolIn,
                          PortIn, MarkIs, ConnStateIn, ConnWayIs, ConnAddressIn, ConnPortIn,
                          SourceTranslated, ArpTargetIn, AddressTypeIs, ReversePathMissing,
                          IcmpTypeIn, HopLimitIs, SocketUserIs, SocketCgroupIs, LaterFragment,
                          TcpSyn, Counter, Log, SetMark, CopyMark, ClampMss, NoTrack, Masquerade,
                          SourceNat, Accept, Drop, Return, Reject, Jump, Goto, ConnAddressMap>;

struct Rule {
  std::vector<Term> terms{};  // In the order of evaluation.
  std::string comment{};
  friend bool operator==(const Rule&, const Rule&) = default;
};

// Where a base chain is attached. A chain without one is only jumped to.
struct Base {
  ChainType type = ChainType::Filter;
  Hook hook = Hook::Input;
  int priority = kPriorityFilter;
  Policy policy = Policy::Accept;
  std::string device{};  // Netdev chains only.
  friend bool operator==(const Base&, const Base&) = default;
};

struct Chain {
  std::string name{};
  std::optional<Base> base{};
  std::vector<Rule> rules{};
  friend bool operator==(const Chain&, const Chain&) = default;
};

// Addresses that lead to chains: one lookup, however many there are.
struct VerdictMap {
  std::string name{};
  net::Family family = net::Family::V4;
  std::vector<std::pair<net::Prefix, std::string>> jumps{};  // None overlaps another.
  friend bool operator==(const VerdictMap&, const VerdictMap&) = default;
};

// Addresses that the kernel forgets by itself, this long after the table was loaded.
struct FadingSet {
  std::string name{};
  net::Family family = net::Family::V4;
  std::vector<net::Address> addresses{};
  std::chrono::seconds lifetime{};
  friend bool operator==(const FadingSet&, const FadingSet&) = default;
};

struct Table {
  Family family = Family::Inet;
  std::string name{};
  std::string comment{};  // The owner's mark.
  // Nobody but the socket that made it may change it, and it outlives that socket. Where the kernel
  // has no such tables it is like any other.
  bool owned = false;
  std::vector<VerdictMap> maps{};
  std::vector<FadingSet> fading{};
  std::vector<Chain> chains{};
  friend bool operator==(const Table&, const Table&) = default;
};

}  // namespace ginnel::hostnet::nft

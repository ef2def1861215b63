// What the kernel runs: nf_tables rules as expressions over registers. nft_lower.h writes them,
// nft_verdict.h reads them, and os carries them to and from the kernel one to one.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/hostnet/nft_tree.h"

namespace ginnel::hostnet::nft {

using Bytes = std::vector<std::uint8_t>;

// The byte offset of a register in the register file; the kernel's two numberings (four registers
// of 16 bytes, sixteen of 4) are both folded into it.
using Register = std::uint8_t;
inline constexpr std::size_t kRegisterFileSize = 64;

enum class MetaKey : std::uint8_t {
  Protocol,
  Mark,
  InIndex,
  OutIndex,
  InName,
  OutName,
  NfProto,
  L4Proto,
  PacketType,
  SocketUser,
  Other
};
enum class PayloadBase : std::uint8_t { Link, Network, Transport, Inner };
enum class ConnKey : std::uint8_t {
  State,
  Direction,
  Status,
  Mark,
  Source4,
  Destination4,
  Source6,
  Destination6,
  SourcePort,
  DestinationPort,
  Other
};
enum class FibResult : std::uint8_t { OutIndex, OutName, AddressType };
enum class CompareWith : std::uint8_t {
  Equal,
  NotEqual,
  Less,
  LessOrEqual,
  Greater,
  GreaterOrEqual
};
enum class VerdictKind : std::uint8_t { Accept, Drop, Continue, Return, Jump, Goto, Queue };

struct Verdict {
  VerdictKind kind = VerdictKind::Accept;
  std::string chain{};  // Of Jump and Goto.
  friend bool operator==(const Verdict&, const Verdict&) = default;
};

struct LoadMeta {
  MetaKey key = MetaKey::Other;
  Register to = 0;
  friend bool operator==(const LoadMeta&, const LoadMeta&) = default;
};
struct LoadPayload {
  PayloadBase base = PayloadBase::Network;
  std::uint32_t offset = 0;
  std::uint32_t length = 0;
  Register to = 0;
  friend bool operator==(const LoadPayload&, const LoadPayload&) = default;
};
struct LoadConn {
  ConnKey key = ConnKey::Other;
  Register to = 0;
  std::optional<ConnWay> way{};  // Of addresses and ports.
  friend bool operator==(const LoadConn&, const LoadConn&) = default;
};
struct LoadFib {
  bool source = false;  // Else the destination address.
  bool with_in_interface = false;
  bool only_presence = false;  // One byte: whether there is a result.
  FibResult result = FibResult::AddressType;
  Register to = 0;
  friend bool operator==(const LoadFib&, const LoadFib&) = default;
};
// The number of the cgroup that the packet's socket was made in: of its ancestor at `level`.
struct LoadSocketCgroup {
  std::uint32_t level = 0;
  Register to = 0;
  friend bool operator==(const LoadSocketCgroup&, const LoadSocketCgroup&) = default;
};
// A field of an IPv6 extension header; what has no such header leaves the rule.
struct LoadExtension {
  std::uint8_t header = 0;
  std::uint32_t offset = 0;
  std::uint32_t length = 0;
  Register to = 0;
  friend bool operator==(const LoadExtension&, const LoadExtension&) = default;
};
inline constexpr std::uint8_t kFragmentHeader = 44;
// The MSS that fits the route there and back, in host order.
struct LoadRouteMss {
  Register to = 0;
  friend bool operator==(const LoadRouteMss&, const LoadRouteMss&) = default;
};
struct LoadImmediate {
  Register to = 0;
  Bytes value{};
  friend bool operator==(const LoadImmediate&, const LoadImmediate&) = default;
};
// to = (from & mask) ^ flip.
struct Bitwise {
  Register from = 0;
  Register to = 0;
  Bytes mask{};
  Bytes flip{};
  friend bool operator==(const Bitwise&, const Bitwise&) = default;
};
// Two bytes from host to network order.
struct ToNetworkOrder {
  Register from = 0;
  Register to = 0;
  friend bool operator==(const ToNetworkOrder&, const ToNetworkOrder&) = default;
};
struct Compare {
  CompareWith with = CompareWith::Equal;
  Register from = 0;
  Bytes value{};
  friend bool operator==(const Compare&, const Compare&) = default;
};
struct InRange {
  Register from = 0;
  Bytes first{};
  Bytes last{};
  Is is = Is::Yes;
  friend bool operator==(const InRange&, const InRange&) = default;
};
// Looks the register up in a set; in a verdict map the found element's verdict is executed.
struct Lookup {
  std::string set{};
  std::uint32_t set_id = 0;  // In a batch, of a set that has no name yet.
  Register from = 0;
  bool verdict_map = false;
  Is is = Is::Yes;
  friend bool operator==(const Lookup&, const Lookup&) = default;
};
struct StoreMeta {
  MetaKey key = MetaKey::Mark;
  Register from = 0;
  friend bool operator==(const StoreMeta&, const StoreMeta&) = default;
};
struct StoreConn {
  ConnKey key = ConnKey::Mark;
  Register from = 0;
  friend bool operator==(const StoreConn&, const StoreConn&) = default;
};
struct StoreTcpOption {
  std::uint8_t option = 0;
  std::uint32_t offset = 0;
  std::uint32_t length = 0;
  Register from = 0;
  friend bool operator==(const StoreTcpOption&, const StoreTcpOption&) = default;
};
struct SkipTracking {
  friend bool operator==(const SkipTracking&, const SkipTracking&) = default;
};
struct NatMasquerade {
  std::optional<std::pair<Register, Register>> ports{};  // The first and the last.
  bool random = false;
  friend bool operator==(const NatMasquerade&, const NatMasquerade&) = default;
};
struct NatSource {
  net::Family family = net::Family::V4;
  Register address = 0;
  friend bool operator==(const NatSource&, const NatSource&) = default;
};
// Type and code as nf_tables numbers them: type 2 is the family-independent "icmpx".
struct RejectPacket {
  std::uint32_t type = 2;
  std::uint8_t code = 1;
  friend bool operator==(const RejectPacket&, const RejectPacket&) = default;
};
struct LogPacket {
  std::string prefix{};
  std::uint32_t level = 4;
  friend bool operator==(const LogPacket&, const LogPacket&) = default;
};

// The matches of iptables that have no expression of their own, as far as they are understood.
struct XtConnState {
  std::uint16_t states = 0;  // Bits of ConnState.
  Is is = Is::Yes;
  friend bool operator==(const XtConnState&, const XtConnState&) = default;
};
struct XtPorts {
  Side side = Side::Destination;
  bool either_side = false;
  std::vector<PortRange> ports{};
  Is is = Is::Yes;
  friend bool operator==(const XtPorts&, const XtPorts&) = default;
};
struct XtAddressType {
  std::uint16_t source = 0;  // One bit for each AddressType; 0 accepts any.
  std::uint16_t destination = 0;
  friend bool operator==(const XtAddressType&, const XtAddressType&) = default;
};

// Something that this program cannot read. A Statement has no bearing on the verdict; a Match may
// or may not hold; a Terminal ends the packet's way in a manner of its own.
struct Opaque {
  enum class Kind : std::uint8_t { Statement, Match, Terminal };
  Kind kind = Kind::Match;
  std::string name{};
  friend bool operator==(const Opaque&, const Opaque&) = default;
};

using Expression = std::variant<LoadMeta, LoadPayload, LoadConn, LoadFib, LoadSocketCgroup,
                                LoadExtension, LoadRouteMss, LoadImmediate, Bitwise, ToNetworkOrder,
                                Compare, InRange, Lookup, StoreMeta, StoreConn, StoreTcpOption,
                                SkipTracking, NatMasquerade, NatSource, RejectPacket, LogPacket,
                                Counter, Verdict, XtConnState, XtPorts, XtAddressType, Opaque>;

// What a set's keys are; nft(8) needs it to print the set.
enum class KeyType : std::uint8_t {
  Unknown,
  Ip4,
  Ip6,
  Port,
  Protocol,
  IcmpType,
  Icmp6Type,
  Interface
};

struct SetElement {
  Bytes key{};
  bool interval_end = false;  // The first value that is outside again.
  std::optional<Verdict> verdict{};
  friend bool operator==(const SetElement&, const SetElement&) = default;
};

struct Set {
  std::string name{};
  std::uint32_t id = 0;
  KeyType key_type = KeyType::Unknown;
  std::uint32_t key_length = 0;
  bool interval = false;
  bool verdict_map = false;
  bool fades = false;               // The kernel forgets its elements.
  std::chrono::seconds lifetime{};  // Of each, where it fades and is ours.
  bool readable = true;             // False: concatenations, or more elements than we care to read.
  std::vector<SetElement> elements{};
  friend bool operator==(const Set&, const Set&) = default;
};

// One rule, ready for the kernel. `sets` are the anonymous ones that its lookups name by id.
struct Program {
  std::vector<Set> sets{};
  std::vector<Expression> expressions{};
  friend bool operator==(const Program&, const Program&) = default;
};

}  // namespace ginnel::hostnet::nft

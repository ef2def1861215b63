#include "core/hostnet/nft_lower.h"

#include <fmt/format.h>

#include <bit>
#include <unordered_set>

#include "base/bytes.h"
#include "core/hostnet/nft_members.h"
#include "core/hostnet/nft_print.h"

namespace ginnel::hostnet::nft {
namespace {

constexpr std::size_t kInterfaceKeyLength = 16;
constexpr std::uint8_t kNfProtoIpv4 = 2;
constexpr std::uint8_t kNfProtoIpv6 = 10;
constexpr std::uint16_t kEtherTypeIpv4 = 0x0800;
constexpr std::uint16_t kEtherTypeIpv6 = 0x86dd;
constexpr std::uint16_t kFragmentOffsetIpv4 = 0x1fff;
constexpr std::uint16_t kFragmentOffsetIpv6 = 0xfff8;
constexpr std::uint8_t kTcpFlagsOffset = 13;
constexpr std::uint8_t kTcpSynFlag = 0x02;
constexpr std::uint8_t kTcpRstFlag = 0x04;
constexpr std::uint8_t kTcpOptionMaxSegment = 2;
constexpr std::uint32_t kArpTargetOffset = 24;  // Behind the sender's addresses, over Ethernet.
constexpr std::uint32_t kStatusSourceTranslated = 0x10;  // IPS_SRC_NAT.
constexpr Register kSecondRegister = 16;

template <class T>
Bytes host_order(T value) {
  Bytes bytes(sizeof value);
  std::memcpy(bytes.data(), &value, sizeof value);
  return bytes;
}
Bytes network_order(std::uint16_t value) {
  return {static_cast<std::uint8_t>(value >> 8), static_cast<std::uint8_t>(value)};
}
Bytes bytes_of_address(const net::Address& address) {
  return {address.bytes().begin(), address.bytes().end()};
}
Bytes interface_key(std::string_view name) {
  Bytes bytes(kInterfaceKeyLength, 0);
  std::ranges::copy(name, bytes.begin());
  return bytes;
}

CompareWith equal_if(Is is) { return is == Is::Yes ? CompareWith::Equal : CompareWith::NotEqual; }

struct Interval {
  Bytes first;
  Bytes last;  // Included.
};

// The value after `key`; nothing when `key` is the largest.
std::optional<Bytes> successor(Bytes key) {
  for (std::size_t i = key.size(); i-- > 0;) {
    if (++key[i] != 0) return key;
  }
  return std::nullopt;
}

// Elements of a set of sorted intervals, those that touch joined as nft(8) joins them.
std::vector<SetElement> interval_elements(const std::vector<Interval>& intervals) {
  std::vector<SetElement> elements;
  for (const Interval& interval : intervals) {
    if (!elements.empty() && elements.back().interval_end &&
        elements.back().key == interval.first) {
      elements.pop_back();
    } else {
      elements.push_back({.key = interval.first});
    }
    if (auto end = successor(interval.last)) {
      elements.push_back({.key = *end, .interval_end = true});
    }
  }
  return elements;
}

class Lowering {
 public:
  Lowering(Family family, std::uint32_t& next_set_id) : family_(family), next_set_id_(next_set_id) {
    if (family == Family::Ip) known_family_ = net::Family::V4;
    if (family == Family::Ip6) known_family_ = net::Family::V6;
  }

  Status add(const Term& term) {
    return std::visit([this](const auto& t) { return add(t); }, term);
  }
  Program take() { return std::move(program_); }

 private:
  template <class E>
  void emit(E expression) {
    program_.expressions.emplace_back(std::move(expression));
  }
  void emit_verdict(VerdictKind kind, std::string chain = {}) {
    emit(Verdict{.kind = kind, .chain = std::move(chain)});
  }

  // The tests that a field of this network or transport protocol implies, once in a rule. Two that
  // exclude each other are a rule that could never hold.
  Status need_family(net::Family family) {
    if (known_family_ && *known_family_ != family) {
      return fail(ErrorCode::InvalidArgument, "IPv4 and IPv6 in one rule; write one for each");
    }
    if (known_family_) return ok();
    known_family_ = family;
    const bool v4 = family == net::Family::V4;
    if (family_ == Family::Inet) {
      emit(LoadMeta{.key = MetaKey::NfProto});
      emit(Compare{.value = {v4 ? kNfProtoIpv4 : kNfProtoIpv6}});
    } else {
      emit(LoadMeta{.key = MetaKey::Protocol});
      emit(Compare{.value = network_order(v4 ? kEtherTypeIpv4 : kEtherTypeIpv6)});
    }
    return ok();
  }
  Status need_protocol(Protocol protocol) {
    if (known_protocol_ && *known_protocol_ != protocol) {
      return fail(ErrorCode::InvalidArgument, "two protocols in one rule; write one for each");
    }
    if (known_protocol_) return ok();
    known_protocol_ = protocol;
    emit(LoadMeta{.key = MetaKey::L4Proto});
    emit(Compare{.value = {static_cast<std::uint8_t>(protocol)}});
    return ok();
  }

  void look_up(Set set, Is is) {
    set.id = next_set_id_++;
    set.name = "__set%d";
    set.key_length = static_cast<std::uint32_t>(set.elements.front().key.size());
    emit(Lookup{.set = set.name, .set_id = set.id, .is = is});
    program_.sets.push_back(std::move(set));
  }

  template <class T>
  Status check_list(const std::vector<T>& members, std::string_view what) {
    if (members.empty()) {
      return fail(ErrorCode::InvalidArgument, fmt::format("{}: the list is empty", what));
    }
    if (members.size() > kMaxListLength) {
      return fail(ErrorCode::Exhausted,
                  fmt::format("{}: {} members, over {}; use larger prefixes or "
                              "ranges",
                              what, members.size(), kMaxListLength));
    }
    return ok();
  }

  Status add(const InterfaceIs& m) {
    if (Status listed = check_list(m.names, "interface"); !listed) return listed;
    for (const std::string& name : m.names) {
      if (name.empty() || name.size() > kMaxInterfaceLength) {
        return fail(ErrorCode::InvalidArgument,
                    fmt::format("interface \"{}\": a name has 1 to {} characters", name,
                                kMaxInterfaceLength));
      }
    }
    emit(LoadMeta{.key = m.direction == Direction::In ? MetaKey::InName : MetaKey::OutName});
    const auto names = normalized(m.names);
    if (names.size() == 1) {
      emit(Compare{.with = equal_if(m.is), .value = interface_key(names.front())});
      return ok();
    }
    Set set{.key_type = KeyType::Interface};
    for (const std::string& name : names) set.elements.push_back({.key = interface_key(name)});
    look_up(std::move(set), m.is);
    return ok();
  }

  // At least one, not too many, all of one family.
  Status check_prefixes(const std::vector<net::Prefix>& prefixes) {
    if (Status listed = check_list(prefixes, "address"); !listed) return listed;
    for (const net::Prefix& prefix : prefixes) {
      if (prefix.family() != prefixes.front().family()) {
        return fail(ErrorCode::InvalidArgument,
                    fmt::format("address: {} and {} in one list; write one rule for each family",
                                prefixes.front().to_string(), prefix.to_string()));
      }
    }
    return ok();
  }

  Status add(const AddressIn& m) {
    if (Status checked = check_prefixes(m.prefixes); !checked) return checked;
    const net::Family family = m.prefixes.front().family();
    if (Status needed = need_family(family); !needed) return needed;
    const auto prefixes = normalized(m.prefixes);
    if (prefixes.size() == 1) {
      compare_prefix(m.side, prefixes.front(), m.is);
    } else {
      load_address(m.side, family, bits_of(family) / 8);
      look_up_prefixes(prefixes, m.is);
    }
    return ok();
  }

  Status add(const AddressInSet& m) {
    if (Status needed = need_family(m.family); !needed) return needed;
    load_address(m.side, m.family, bits_of(m.family) / 8);
    emit(Lookup{.set = m.set});
    return ok();
  }

  void load_address(Side side, net::Family family, std::uint32_t length) {
    const bool v4 = family == net::Family::V4;
    const bool source = side == Side::Source;
    const std::uint32_t offset = v4 ? (source ? 12 : 16) : (source ? 8 : 24);
    emit(LoadPayload{.base = PayloadBase::Network, .offset = offset, .length = length});
  }

  // Whole bytes are compared as far as the prefix goes; other lengths, and none, through a mask.
  static std::uint32_t compared_length(const net::Prefix& prefix) {
    const bool whole_bytes = prefix.length() % 8 == 0 && prefix.length() > 0;
    return (whole_bytes ? prefix.length() : bits_of(prefix.family())) / 8;
  }
  // REQUIRES: the register holds at least compared_length() bytes of the address.
  void compare_loaded_prefix(const net::Prefix& prefix, Is is) {
    Bytes value = bytes_of_address(prefix.address());
    if (prefix.length() % 8 == 0 && prefix.length() > 0) {
      value.resize(compared_length(prefix));
    } else {
      Bytes mask(value.size(), 0);
      for (unsigned bit = 0; bit < prefix.length(); ++bit) {
        mask[bit / 8] = static_cast<std::uint8_t>(mask[bit / 8] | (0x80 >> bit % 8));
      }
      emit(Bitwise{.mask = std::move(mask), .flip = Bytes(value.size(), 0)});
    }
    emit(Compare{.with = equal_if(is), .value = std::move(value)});
  }
  void compare_prefix(Side side, const net::Prefix& prefix, Is is) {
    load_address(side, prefix.family(), compared_length(prefix));
    compare_loaded_prefix(prefix, is);
  }

  void look_up_prefixes(const std::vector<net::Prefix>& prefixes, Is is) {
    const bool v4 = prefixes.front().family() == net::Family::V4;
    Set set{.key_type = v4 ? KeyType::Ip4 : KeyType::Ip6};
    set.interval = !std::ranges::all_of(prefixes, &net::Prefix::is_host);
    if (set.interval) {
      std::vector<Interval> intervals;
      intervals.reserve(prefixes.size());
      for (const net::Prefix& prefix : prefixes) {
        intervals.push_back({bytes_of_address(prefix.address()), bytes_of_address(prefix.last())});
      }
      set.elements = interval_elements(intervals);
    } else {
      for (const net::Prefix& prefix : prefixes) {
        set.elements.push_back({.key = bytes_of_address(prefix.address())});
      }
    }
    look_up(std::move(set), is);
  }

  Status add(const FamilyIs& m) { return need_family(m.family); }
  Status add(const EtherTypeIs& m) {
    emit(LoadMeta{.key = MetaKey::Protocol});
    emit(Compare{.value = network_order(std::to_underlying(m.type))});
    return ok();
  }

  Status add(const ProtocolIn& m) {
    if (Status listed = check_list(m.protocols, "protocol"); !listed) return listed;
    const auto protocols = normalized(m.protocols);
    if (protocols.size() == 1) {
      return need_protocol(protocols.front());
    }
    emit(LoadMeta{.key = MetaKey::L4Proto});
    Set set{.key_type = KeyType::Protocol};
    for (Protocol p : protocols) set.elements.push_back({.key = {static_cast<std::uint8_t>(p)}});
    look_up(std::move(set), Is::Yes);
    return ok();
  }

  static Status check_range(PortRange range) {
    if (range.first <= range.last) return ok();
    return fail(
        ErrorCode::InvalidArgument,
        fmt::format("port: the range {}-{} is the wrong way round", range.first, range.last));
  }
  Status add(const PortIn& m) {
    if (Status listed = check_list(m.ports, "port"); !listed) return listed;
    for (const PortRange& range : m.ports) {
      if (Status checked = check_range(range); !checked) return checked;
    }
    if (Status needed = need_protocol(m.protocol); !needed) return needed;
    emit(LoadPayload{
        .base = PayloadBase::Transport, .offset = m.side == Side::Source ? 0u : 2u, .length = 2});
    const auto ports = normalized(m.ports);
    if (ports.size() == 1) {
      compare_port(ports.front(), m.is);
    } else {
      look_up_ports(ports, m.is);
    }
    return ok();
  }

  void compare_port(PortRange range, Is is) {
    if (range.first == range.last) {
      emit(Compare{.with = equal_if(is), .value = network_order(range.first)});
    } else if (is == Is::Yes) {
      emit(Compare{.with = CompareWith::GreaterOrEqual, .value = network_order(range.first)});
      emit(Compare{.with = CompareWith::LessOrEqual, .value = network_order(range.last)});
    } else {
      emit(InRange{
          .first = network_order(range.first), .last = network_order(range.last), .is = is});
    }
  }

  void look_up_ports(const std::vector<PortRange>& ports, Is is) {
    Set set{.key_type = KeyType::Port};
    set.interval = std::ranges::any_of(ports, [](PortRange p) { return p.first != p.last; });
    if (set.interval) {
      std::vector<Interval> intervals;
      intervals.reserve(ports.size());
      for (PortRange p : ports)
        intervals.push_back({network_order(p.first), network_order(p.last)});
      set.elements = interval_elements(intervals);
    } else {
      for (PortRange p : ports) set.elements.push_back({.key = network_order(p.first)});
    }
    look_up(std::move(set), is);
  }

  void load_mark(MarkOf of) {
    if (of == MarkOf::Packet) {
      emit(LoadMeta{.key = MetaKey::Mark});
    } else {
      emit(LoadConn{.key = ConnKey::Mark});
    }
  }
  void store_mark(MarkOf of) {
    if (of == MarkOf::Packet) {
      emit(StoreMeta{.key = MetaKey::Mark});
    } else {
      emit(StoreConn{.key = ConnKey::Mark});
    }
  }
  void mask_mark(std::uint32_t mask, std::uint32_t flip) {
    emit(Bitwise{.mask = host_order(mask), .flip = host_order(flip)});
  }

  Status add(const MarkIs& m) {
    load_mark(m.of);
    if (m.mask != 0xffffffff) mask_mark(m.mask, 0);
    emit(Compare{.with = equal_if(m.is), .value = host_order(m.value)});
    return ok();
  }
  Status add(const ConnStateIn& m) {
    emit(LoadConn{.key = ConnKey::State});
    mask_mark(m.states, 0);
    emit(Compare{.with = CompareWith::NotEqual, .value = host_order(std::uint32_t{0})});
    return ok();
  }
  Status add(const ConnWayIs& m) {
    emit(LoadConn{.key = ConnKey::Direction});
    emit(Compare{.value = {std::to_underlying(m.way)}});
    return ok();
  }
  static ConnKey address_key(net::Family family, Side side) {
    const bool source = side == Side::Source;
    if (family == net::Family::V4) return source ? ConnKey::Source4 : ConnKey::Destination4;
    return source ? ConnKey::Source6 : ConnKey::Destination6;
  }
  // A connection of the other family has no such address, and the rule does not match.
  Status add(const ConnAddressIn& m) {
    if (Status checked = check_prefixes(m.prefixes); !checked) return checked;
    emit(LoadConn{.key = address_key(m.prefixes.front().family(), m.side), .way = m.way});
    const auto prefixes = normalized(m.prefixes);
    if (prefixes.size() == 1) {
      compare_loaded_prefix(prefixes.front(), Is::Yes);
    } else {
      look_up_prefixes(prefixes, Is::Yes);
    }
    return ok();
  }
  Status add(const ConnPortIn& m) {
    if (Status checked = check_range(m.ports); !checked) return checked;
    if (Status needed = need_protocol(m.protocol); !needed) return needed;
    const bool source = m.side == Side::Source;
    emit(LoadConn{.key = source ? ConnKey::SourcePort : ConnKey::DestinationPort, .way = m.way});
    compare_port(m.ports, Is::Yes);
    return ok();
  }
  Status add(const SourceTranslated& m) {
    emit(LoadConn{.key = ConnKey::Status});
    mask_mark(kStatusSourceTranslated, 0);
    emit(Compare{.with = m.is == Is::Yes ? CompareWith::NotEqual : CompareWith::Equal,
                 .value = host_order(std::uint32_t{0})});
    return ok();
  }
  Status add(const ArpTargetIn& m) {
    if (family_ != Family::Arp || m.prefix.family() != net::Family::V4) {
      return fail(ErrorCode::InvalidArgument, "arp: in another table than one of ARP");
    }
    emit(LoadPayload{.base = PayloadBase::Network,
                     .offset = kArpTargetOffset,
                     .length = compared_length(m.prefix)});
    compare_loaded_prefix(m.prefix, Is::Yes);
    return ok();
  }
  Status add(const ConnAddressMap& m) {
    emit(LoadConn{.key = address_key(m.family, m.side), .way = m.way});
    emit(Lookup{.set = m.map, .verdict_map = true});
    return ok();
  }
  Status add(const AddressTypeIs& m) {
    emit(LoadFib{.source = m.side == Side::Source, .result = FibResult::AddressType});
    emit(Compare{.with = equal_if(m.is), .value = host_order(static_cast<std::uint32_t>(m.type))});
    return ok();
  }
  Status add(const ReversePathMissing&) {
    emit(LoadFib{.source = true,
                 .with_in_interface = true,
                 .only_presence = true,
                 .result = FibResult::OutIndex});
    emit(Compare{.value = host_order(std::uint32_t{0})});
    return ok();
  }
  Status add(const IcmpTypeIn& m) {
    if (Status listed = check_list(m.types, "icmp type"); !listed) return listed;
    const bool v4 = m.family == net::Family::V4;
    if (Status needed = need_family(m.family); !needed) return needed;
    if (Status needed = need_protocol(v4 ? Protocol::Icmp : Protocol::Icmp6); !needed)
      return needed;
    emit(LoadPayload{.base = PayloadBase::Transport, .offset = 0, .length = 1});
    const auto types = normalized(m.types);
    if (types.size() == 1) {
      emit(Compare{.value = {types.front()}});
      return ok();
    }
    Set set{.key_type = v4 ? KeyType::IcmpType : KeyType::Icmp6Type};
    for (std::uint8_t type : types) set.elements.push_back({.key = {type}});
    look_up(std::move(set), Is::Yes);
    return ok();
  }
  Status add(const HopLimitIs& m) {
    if (Status needed = need_family(net::Family::V6); !needed) return needed;
    emit(LoadPayload{.base = PayloadBase::Network, .offset = 7, .length = 1});
    emit(Compare{.value = {m.value}});
    return ok();
  }
  Status add(const SocketUserIs& m) {
    emit(LoadMeta{.key = MetaKey::SocketUser});
    emit(Compare{.with = equal_if(m.is), .value = host_order(m.user)});
    return ok();
  }
  Status add(const SocketCgroupIs& m) {
    if (m.path.empty() || m.level() > kMaxCgroupLevel) {
      return fail(ErrorCode::InvalidArgument,
                  fmt::format("cgroup \"{}\": name one that is 1 to {} levels below the root",
                              m.path, kMaxCgroupLevel));
    }
    emit(LoadSocketCgroup{.level = m.level()});
    emit(Compare{.value = host_order(m.id)});
    return ok();
  }
  Status add(const LaterFragment& m) {
    if (Status needed = need_family(m.family); !needed) return needed;
    const bool v4 = m.family == net::Family::V4;
    if (v4) {
      emit(LoadPayload{.base = PayloadBase::Network, .offset = 6, .length = 2});
    } else {
      emit(LoadExtension{.header = kFragmentHeader, .offset = 2, .length = 2});
    }
    emit(Bitwise{.mask = network_order(v4 ? kFragmentOffsetIpv4 : kFragmentOffsetIpv6),
                 .flip = network_order(0)});
    emit(Compare{.with = CompareWith::NotEqual, .value = network_order(0)});
    return ok();
  }
  Status add(const TcpSyn&) {
    if (Status needed = need_protocol(Protocol::Tcp); !needed) return needed;
    emit(LoadPayload{.base = PayloadBase::Transport, .offset = kTcpFlagsOffset, .length = 1});
    emit(Bitwise{.mask = {kTcpSynFlag | kTcpRstFlag}, .flip = {0}});
    emit(Compare{.value = {kTcpSynFlag}});
    return ok();
  }

  Status add(const Counter&) {
    emit(Counter{});
    return ok();
  }
  Status add(const Log& s) {
    if (s.prefix.size() > kMaxLogPrefixLength) {
      return fail(ErrorCode::InvalidArgument,
                  fmt::format("log prefix: over {} characters", kMaxLogPrefixLength));
    }
    emit(LogPacket{.prefix = s.prefix});
    return ok();
  }
  Status add(const SetMark& s) {
    if (s.mask == 0xffffffff) {
      emit(LoadImmediate{.value = host_order(s.value)});
    } else {
      load_mark(s.of);
      mask_mark(~s.mask, s.value & s.mask);
    }
    store_mark(s.of);
    return ok();
  }
  Status add(const CopyMark& s) {
    load_mark(s.to == MarkOf::Packet ? MarkOf::Connection : MarkOf::Packet);
    if (s.mask != 0xffffffff) mask_mark(s.mask, 0);
    store_mark(s.to);
    return ok();
  }
  Status add(const ClampMss&) {
    emit(LoadRouteMss{});
    emit(ToNetworkOrder{});
    emit(StoreTcpOption{.option = kTcpOptionMaxSegment, .offset = 2, .length = 2});
    return ok();
  }
  Status add(const NoTrack&) {
    emit(SkipTracking{});
    return ok();
  }
  Status add(const Masquerade& s) {
    NatMasquerade masquerade{.random = s.random};
    if (s.ports) {
      if (Status checked = check_range(*s.ports); !checked) return checked;
      masquerade.ports.emplace(0, kSecondRegister);
      emit(LoadImmediate{.value = network_order(s.ports->first)});
      emit(LoadImmediate{.to = kSecondRegister, .value = network_order(s.ports->last)});
    }
    emit(masquerade);
    return ok();
  }
  Status add(const SourceNat& s) {
    if (Status needed = need_family(s.to.family()); !needed) return needed;
    emit(LoadImmediate{.value = bytes_of_address(s.to)});
    emit(NatSource{.family = s.to.family()});
    return ok();
  }
  Status add(const Accept&) { return verdict(VerdictKind::Accept); }
  Status add(const Drop&) { return verdict(VerdictKind::Drop); }
  Status add(const Return&) { return verdict(VerdictKind::Return); }
  Status add(const Jump& s) { return verdict(VerdictKind::Jump, s.chain); }
  Status add(const Goto& s) { return verdict(VerdictKind::Goto, s.chain); }
  Status add(const Reject& s) {
    emit(RejectPacket{.code = static_cast<std::uint8_t>(s.with)});
    return ok();
  }
  Status verdict(VerdictKind kind, std::string chain = {}) {
    emit_verdict(kind, std::move(chain));
    return ok();
  }

  Family family_;
  std::uint32_t& next_set_id_;
  std::optional<net::Family> known_family_;
  std::optional<Protocol> known_protocol_;
  Program program_;
};

// Begins and ends are kept apart even where they touch: a verdict ends where the next begins.
std::vector<SetElement> elements_of(const VerdictMap& map) {
  const bool intervals = needs_intervals(map);
  std::vector<SetElement> elements;
  elements.reserve(map.jumps.size() * 2);
  auto jumps = map.jumps;
  std::ranges::sort(jumps);
  for (const auto& [prefix, chain] : jumps) {
    elements.push_back({.key = bytes_of_address(prefix.address()),
                        .verdict = Verdict{.kind = VerdictKind::Jump, .chain = chain}});
    if (!intervals) continue;
    if (auto end = successor(bytes_of_address(prefix.last()))) {
      elements.push_back({.key = std::move(*end), .interval_end = true});
    }
  }
  return elements;
}

using Names = std::unordered_set<std::string_view>;

Names chain_names(const Table& table) {
  Names names;
  for (const Chain& chain : table.chains) names.insert(chain.name);
  return names;
}

Status check_map(const Table& table, const Names& chains, const VerdictMap& map) {
  if (map.jumps.size() > kMaxMapLength) {
    return fail(ErrorCode::Exhausted, fmt::format("map {}: {} members, over {}", map.name,
                                                  map.jumps.size(), kMaxMapLength));
  }
  for (const auto& [prefix, chain] : map.jumps) {
    if (prefix.family() != map.family) {
      return fail(ErrorCode::InvalidArgument,
                  fmt::format("map {}: {} is of the other family", map.name, prefix.to_string()));
    }
    if (!chains.contains(chain)) {
      return fail(ErrorCode::NotFound,
                  fmt::format("map {}: table {} has no chain {}", map.name, table.name, chain));
    }
  }
  return ok();
}

Status check_fading(const FadingSet& set) {
  if (set.addresses.size() > kMaxListLength) {
    return fail(ErrorCode::Exhausted, fmt::format("set {}: {} members, over {}", set.name,
                                                  set.addresses.size(), kMaxListLength));
  }
  for (const net::Address& address : set.addresses) {
    if (address.family() == set.family) continue;
    return fail(ErrorCode::InvalidArgument,
                fmt::format("set {}: {} is of the other family", set.name, address.to_string()));
  }
  return ok();
}

Status check_name(std::string_view what, std::string_view name) {
  if (!name.empty() && name.size() <= kMaxNameLength) return ok();
  return fail(ErrorCode::InvalidArgument,
              fmt::format("{} \"{}\": a name has 1 to {} characters", what, name, kMaxNameLength));
}

const std::string* target_of(const Term& term) {
  if (const auto* jump = std::get_if<Jump>(&term)) return &jump->chain;
  if (const auto* go = std::get_if<Goto>(&term)) return &go->chain;
  return nullptr;
}

Status check_target(const Table& table, const Names& chains, const Rule& rule, const Term& term) {
  const auto missing = [&](std::string_view kind, const std::string& name) {
    return fail(ErrorCode::NotFound, fmt::format("rule \"{}\": table {} has no {} {}", print(rule),
                                                 table.name, kind, name));
  };
  if (const std::string* target = target_of(term)) {
    if (!chains.contains(*target)) return missing("chain", *target);
  }
  if (const auto* in = std::get_if<AddressInSet>(&term)) {
    const FadingSet* set = find_fading(table, in->set);
    if (set == nullptr || set->family != in->family) return missing("such set", in->set);
  }
  if (const auto* leads = std::get_if<ConnAddressMap>(&term)) {
    const VerdictMap* map = find_map(table, leads->map);
    if (map == nullptr || map->family != leads->family) return missing("such map", leads->map);
  }
  return ok();
}

}  // namespace

Result<Program> lower(Family family, const Rule& rule, std::uint32_t& next_set_id) {
  Lowering lowering(family, next_set_id);
  for (const Term& term : rule.terms) {
    if (Status added = lowering.add(term); !added) return pass(std::move(added));
  }
  return lowering.take();
}

Set to_set(const VerdictMap& map) {
  const bool v4 = map.family == net::Family::V4;
  return {.name = map.name,
          .key_type = v4 ? KeyType::Ip4 : KeyType::Ip6,
          .key_length = bits_of(map.family) / 8,
          .interval = needs_intervals(map),
          .verdict_map = true,
          .elements = elements_of(map)};
}

Set to_set(const FadingSet& fading) {
  const bool v4 = fading.family == net::Family::V4;
  Set set{.name = fading.name,
          .key_type = v4 ? KeyType::Ip4 : KeyType::Ip6,
          .key_length = bits_of(fading.family) / 8,
          .fades = true,
          .lifetime = fading.lifetime};
  for (const net::Address& address : fading.addresses) {
    set.elements.push_back({.key = bytes_of_address(address)});
  }
  return set;
}

Result<ListedTable> as_listed(const Table& table) {
  ListedTable listed{
      .family = table.family, .name = table.name, .comment = table.comment, .owned = table.owned};
  for (const VerdictMap& map : table.maps) listed.sets.push_back(to_set(map));
  for (const FadingSet& set : table.fading) listed.sets.push_back(to_set(set));
  std::uint32_t next_set_id = 1;
  for (const Chain& chain : table.chains) {
    ListedChain& into = listed.chains.emplace_back(ListedChain{chain.name, chain.base, {}});
    for (const Rule& rule : chain.rules) {
      auto program = lower(table.family, rule, next_set_id);
      if (!program) return pass(std::move(program));
      for (Set& set : program->sets) {
        set.name = fmt::format("set{}", set.id);
        listed.sets.push_back(std::move(set));
      }
      for (Expression& expression : program->expressions) {
        auto* lookup = std::get_if<Lookup>(&expression);
        if (lookup && lookup->set_id != 0) lookup->set = fmt::format("set{}", lookup->set_id);
      }
      into.rules.push_back(
          {.comment = rule.comment, .expressions = std::move(program->expressions)});
    }
  }
  return listed;
}

Status check_names(const Table& table) {
  if (Status named = check_name("table", table.name); !named) return named;
  if (table.comment.size() > kMaxCommentLength) {
    return fail(
        ErrorCode::InvalidArgument,
        fmt::format("table {}: its comment is over {} characters", table.name, kMaxCommentLength));
  }
  const Names chains = chain_names(table);
  for (const VerdictMap& map : table.maps) {
    if (Status named = check_name("map", map.name); !named) return named;
    if (Status checked = check_map(table, chains, map); !checked) return checked;
  }
  for (const FadingSet& set : table.fading) {
    if (Status named = check_name("set", set.name); !named) return named;
    if (Status checked = check_fading(set); !checked) return checked;
  }
  for (const Chain& chain : table.chains) {
    if (Status named = check_name("chain", chain.name); !named) return named;
    for (const Rule& rule : chain.rules) {
      if (rule.comment.size() > kMaxCommentLength) {
        return fail(ErrorCode::InvalidArgument, fmt::format("rule \"{}\": its comment is over {} "
                                                            "characters",
                                                            print(rule), kMaxCommentLength));
      }
      for (const Term& term : rule.terms) {
        if (Status checked = check_target(table, chains, rule, term); !checked) return checked;
      }
    }
  }
  return ok();
}

}  // namespace ginnel::hostnet::nft

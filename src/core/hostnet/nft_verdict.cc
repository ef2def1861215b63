#include "core/hostnet/nft_verdict.h"

#include "core/hostnet/nft_registers.h"

namespace ginnel::hostnet::nft {
namespace {

constexpr int kMaxDepth = 16;               // The kernel's own limit on jumps.
constexpr std::size_t kMaxSteps = 1 << 18;  // Rules looked at; more is left undecided.
constexpr std::uint32_t kPacketToHost = 0;
// Of `ct status`: whether source or answers have been seen or translated depends on the flow, but
// nobody translates the destination of ours.
constexpr std::uint32_t kStatusDestinationTranslated = 0x20;

template <class T>
Bytes host_order(T value) {
  Bytes bytes(sizeof value);
  std::memcpy(bytes.data(), &value, sizeof value);
  return bytes;
}

int compare(ByteView a, ByteView b) {
  return std::memcmp(a.data(), b.data(), std::min(a.size(), b.size()));
}

// The packet's headers, as far as they are known.
class Headers {
 public:
  explicit Headers(const PartialPacket& packet) : packet_(packet) {
    const bool v4 = packet.family == net::Family::V4;
    if (packet.source) put_network(v4 ? 12 : 8, packet.source->bytes());
    if (packet.destination) put_network(v4 ? 16 : 24, packet.destination->bytes());
    if (packet.protocol) {
      const auto number = static_cast<std::uint8_t>(*packet.protocol);
      put_network(v4 ? 9 : 6, {&number, 1});
    }
    if (packet.source_port) put_port(0, *packet.source_port);
    if (packet.destination_port) put_port(2, *packet.destination_port);
    if (packet.icmp_type) {
      transport_.value[0] = *packet.icmp_type;
      transport_.known[0] = 0xff;
    }
    if (packet.hop_limit) put_network(v4 ? 8 : 7, {&*packet.hop_limit, 1});
    const std::uint8_t fragment[] = {0, std::uint8_t{packet.later_fragment}};
    if (v4) put_network(6, fragment);
  }

  void load(const LoadPayload& load, Registers& registers) const {
    const Header* header = load.base == PayloadBase::Network     ? &network_
                           : load.base == PayloadBase::Transport ? &transport_
                                                                 : nullptr;
    const bool inside = header && load.length <= kSize && load.offset <= kSize - load.length;
    if (!inside) {
      registers.forget(load.to, load.length);
      return;
    }
    registers.set_partly(load.to, ByteView(header->value).subspan(load.offset, load.length),
                         ByteView(header->known).subspan(load.offset, load.length));
  }

  void load(const LoadMeta& load, Registers& registers, std::optional<std::uint32_t> mark) const {
    switch (load.key) {
      case MetaKey::InName:
        return load_name(packet_.in_interface, load.to, registers);
      case MetaKey::OutName:
        return load_name(packet_.out_interface, load.to, registers);
      case MetaKey::InIndex:
        return load_number(packet_.in_index, load.to, registers);
      case MetaKey::OutIndex:
        return load_number(packet_.out_index, load.to, registers);
      case MetaKey::Mark:
        return load_number(mark, load.to, registers);
      case MetaKey::NfProto:
        return registers.set(load.to, Bytes{v4() ? std::uint8_t{2} : std::uint8_t{10}});
      case MetaKey::Protocol:
        return registers.set(load.to, v4() ? Bytes{0x08, 0x00} : Bytes{0x86, 0xdd});
      case MetaKey::L4Proto:
        if (!packet_.protocol) return registers.forget(load.to, 4);
        return registers.set(load.to, Bytes{static_cast<std::uint8_t>(*packet_.protocol)});
      case MetaKey::PacketType:
        return load_number(kPacketToHost, load.to, registers);
      case MetaKey::SocketUser:
        return load_number(packet_.socket ? packet_.socket->user : std::nullopt, load.to,
                           registers);
      case MetaKey::Other:
        return registers.forget(load.to, 16);
    }
  }

  void load(const LoadConn& load, Registers& registers) const {
    switch (load.key) {
      case ConnKey::State:
        return registers.set(load.to, host_order(static_cast<std::uint32_t>(packet_.state)));
      case ConnKey::Direction:
        if (!packet_.way) return registers.forget(load.to, 16);
        return registers.set(load.to, Bytes{std::to_underlying(*packet_.way)});
      case ConnKey::Mark:
        return load_number(packet_.connection_mark, load.to, registers);
      case ConnKey::Status:
        return registers.set_partly(load.to, host_order(std::uint32_t{0}),
                                    host_order(kStatusDestinationTranslated));
      case ConnKey::Source4:
      case ConnKey::Source6:
        return load_end(end_of(load, Side::Source), load.to, registers);
      case ConnKey::Destination4:
      case ConnKey::Destination6:
        return load_end(end_of(load, Side::Destination), load.to, registers);
      case ConnKey::SourcePort:
        return load_port(end_of(load, Side::Source), load.to, registers);
      case ConnKey::DestinationPort:
        return load_port(end_of(load, Side::Destination), load.to, registers);
      case ConnKey::Other:
        return registers.forget(load.to, 16);
    }
  }

  void load(const LoadSocketCgroup& load, Registers& registers) const {
    if (!packet_.socket) return registers.forget(load.to, sizeof(std::uint64_t));
    registers.set(load.to, host_order(packet_.socket->cgroups[load.level - 1]));
  }

  void load(const LoadExtension& load, Registers& registers) const {
    if (load.header == kFragmentHeader && load.offset == 2 && load.length == 2) {
      return registers.set(load.to, Bytes{0, 8});
    }
    registers.forget(load.to, 16);
  }

  // Whether the packet has what is loaded; else it leaves the rule.
  Truth has(const LoadMeta& load) const {
    const bool lacks = load.key == MetaKey::SocketUser && packet_.socket && !packet_.socket->user;
    return truth_of(!lacks);
  }
  Truth has(const LoadPayload& load) const {
    return truth_of(load.base != PayloadBase::Transport || !packet_.later_fragment);
  }
  Truth has(const LoadSocketCgroup& load) const {
    if (!packet_.socket) return Truth::Yes;
    return truth_of(load.level >= 1 && load.level <= packet_.socket->cgroups.size());
  }
  Truth has(const LoadExtension& load) const {
    if (load.header != kFragmentHeader) return Truth::Maybe;
    return truth_of(!v4() && packet_.later_fragment);
  }
  // There is no connection, or one of the other family.
  Truth has(const LoadConn& load) const {
    if (load.key == ConnKey::State) return Truth::Yes;
    if (packet_.state == kInvalid || packet_.state == kUntracked) return Truth::No;
    const bool of_v4 = load.key == ConnKey::Source4 || load.key == ConnKey::Destination4;
    const bool of_v6 = load.key == ConnKey::Source6 || load.key == ConnKey::Destination6;
    return truth_of(!(v4() ? of_v6 : of_v4));
  }

  void load(const LoadFib& load, Registers& registers) const {
    const AddressType type = load.source ? packet_.source_type : packet_.destination_type;
    if (load.only_presence) {
      registers.set(load.to, Bytes{std::uint8_t{packet_.reverse_path}});
    } else if (load.result == FibResult::AddressType) {
      registers.set(load.to, host_order(static_cast<std::uint32_t>(type)));
    } else {
      registers.forget(load.to, 16);
    }
  }

 private:
  static constexpr std::size_t kSize = 64;
  struct Header {
    std::array<std::uint8_t, kSize> value{};
    std::array<std::uint8_t, kSize> known{};
  };

  bool v4() const { return packet_.family == net::Family::V4; }

  // Who opened the connection, or whom it was opened to, seen from where nothing is translated yet.
  // Nothing: translation decides, or it is not known which way the packet goes.
  std::optional<Side> end_of(const LoadConn& load, Side side) const {
    const ConnWay way = load.way.value_or(ConnWay::Original);
    if (way == ConnWay::Reply && side == Side::Destination) return std::nullopt;
    auto packet_way = packet_.way;
    if (!packet_way && packet_.state == kNew) packet_way = ConnWay::Original;
    if (!packet_way) return std::nullopt;
    const bool is_opener = way == ConnWay::Original && side == Side::Source;
    return is_opener == (*packet_way == ConnWay::Original) ? Side::Source : Side::Destination;
  }
  void load_end(std::optional<Side> end, Register to, Registers& registers) const {
    const auto& address = end == Side::Source ? packet_.source : packet_.destination;
    if (!end || !address) return registers.forget(to, 16);
    registers.set(to, address->bytes());
  }
  void load_port(std::optional<Side> end, Register to, Registers& registers) const {
    const auto& port = end == Side::Source ? packet_.source_port : packet_.destination_port;
    if (!end || !port) return registers.forget(to, 4);
    Bytes bytes(2);
    store<Be16>(ByteSpan(bytes), *port);
    registers.set(to, bytes);
  }

  void put_network(std::size_t at, ByteView bytes) {
    std::ranges::copy(bytes, network_.value.begin() + static_cast<std::ptrdiff_t>(at));
    std::fill_n(network_.known.begin() + static_cast<std::ptrdiff_t>(at), bytes.size(),
                std::uint8_t{0xff});
  }
  void put_port(std::size_t at, std::uint16_t port) {
    store<Be16>(ByteSpan(transport_.value).subspan(at), port);
    std::fill_n(transport_.known.begin() + static_cast<std::ptrdiff_t>(at), 2, std::uint8_t{0xff});
  }
  static void load_name(const std::optional<std::string>& name, Register to, Registers& registers) {
    if (!name) return registers.forget(to, 16);
    Bytes padded(16, 0);
    std::copy_n(name->begin(), std::min(name->size(), padded.size()), padded.begin());
    registers.set(to, padded);
  }
  static void load_number(std::optional<std::uint32_t> number, Register to, Registers& registers) {
    if (!number) return registers.forget(to, 4);
    registers.set(to, host_order(*number));
  }

  const PartialPacket& packet_;
  Header network_;
  Header transport_;
};

// Whether a key is in a set, and the element that says so, when both are known.
struct Found {
  Truth truth = Truth::Maybe;
  const SetElement* element = nullptr;
};

Found find_in_intervals(const Set& set, ByteView key) {
  const SetElement* last = nullptr;
  for (const SetElement& element : set.elements) {
    if (element.key.size() != key.size() || compare(element.key, key) > 0) continue;
    // An end and the next beginning may have one key; the beginning counts.
    const int order = last ? compare(element.key, last->key) : 1;
    if (order > 0 || (order == 0 && last->interval_end)) last = &element;
  }
  const bool inside = last && !last->interval_end;
  return {.truth = truth_of(inside), .element = inside ? last : nullptr};
}

Found find_in(const Set* set, const Registers& registers, Register from) {
  if (!set || !set->readable) return {};
  if (set->elements.empty()) return {.truth = Truth::No};
  if (set->interval) {
    const auto key = registers.read(from, set->key_length);
    return key ? find_in_intervals(*set, *key) : Found{};
  }
  Found found{.truth = Truth::No};
  for (const SetElement& element : set->elements) {
    const Truth equal = registers.equals(from, element.key);
    if (equal == Truth::Yes) return {.truth = Truth::Yes, .element = &element};
    if (equal == Truth::Maybe) found.truth = Truth::Maybe;
  }
  return found;
}

Truth holds(const Compare& c, const Registers& registers) {
  if (c.with == CompareWith::Equal) return registers.equals(c.from, c.value);
  if (c.with == CompareWith::NotEqual) return !registers.equals(c.from, c.value);
  const auto value = registers.read(c.from, c.value.size());
  if (!value) return Truth::Maybe;
  const int order = compare(*value, c.value);
  switch (c.with) {
    case CompareWith::Less:
      return truth_of(order < 0);
    case CompareWith::LessOrEqual:
      return truth_of(order <= 0);
    case CompareWith::Greater:
      return truth_of(order > 0);
    default:
      return truth_of(order >= 0);
  }
}

Truth holds(const InRange& r, const Registers& registers) {
  const auto value = registers.read(r.from, r.first.size());
  if (!value || r.last.size() != r.first.size()) return Truth::Maybe;
  const bool inside = compare(*value, r.first) >= 0 && compare(*value, r.last) <= 0;
  return truth_of(inside == (r.is == Is::Yes));
}

Truth holds(const XtPorts& m, const PartialPacket& packet) {
  const auto& port = m.side == Side::Source ? packet.source_port : packet.destination_port;
  if (m.either_side || !port) return Truth::Maybe;
  const bool listed = std::ranges::any_of(
      m.ports, [&](PortRange range) { return *port >= range.first && *port <= range.last; });
  return truth_of(listed == (m.is == Is::Yes));
}

Truth holds(const XtAddressType& m, const PartialPacket& packet) {
  const auto bit = [](AddressType type) { return 1u << static_cast<unsigned>(type); };
  const bool source = m.source == 0 || (m.source & bit(AddressType::Unicast));
  const bool destination = m.destination == 0 || (m.destination & bit(packet.destination_type));
  return truth_of(source && destination);
}

enum class Way : std::uint8_t { Continue, Return, Accept, Drop };

class Judge {
 public:
  Judge(const ListedTable& table, const PartialPacket& packet)
      : table_(table), packet_(packet), headers_(packet), mark_(packet.mark) {}

  Way walk(const ListedChain& chain, int depth);
  bool uncertain() const { return uncertain_; }
  std::optional<std::uint32_t> mark() const { return mark_; }
  const Judgement& where() const { return where_; }

 private:
  // The state of one rule while it is walked through.
  struct Step {
    Registers registers{};
    Truth matches = Truth::Yes;
    std::optional<Verdict> verdict{};
    bool rejects = false;
    bool ends_unknown = false;
  };

  void run(const ListedRule& rule, Step& step);
  Way decide(const ListedChain& chain, const ListedRule& rule, const Step& step, int depth);
  Way follow(const Verdict& verdict, int depth);
  void note_drop(const ListedChain& chain, const ListedRule& rule, bool rejected);

  void need(Step& step, Truth truth) { step.matches = std::min(step.matches, truth); }

  template <class Load, class... State>
  void load_if_there(const Load& e, Step& step, const State&... state) {
    const Truth there = headers_.has(e);
    need(step, there);
    if (there != Truth::No) headers_.load(e, step.registers, state...);
  }
  void execute(const LoadMeta& e, Step& step) { load_if_there(e, step, mark_); }
  void execute(const LoadPayload& e, Step& step) { load_if_there(e, step); }
  void execute(const LoadSocketCgroup& e, Step& step) { load_if_there(e, step); }
  void execute(const LoadExtension& e, Step& step) { load_if_there(e, step); }
  void execute(const LoadConn& e, Step& step) { load_if_there(e, step); }
  void execute(const LoadFib& e, Step& step) { headers_.load(e, step.registers); }
  void execute(const LoadRouteMss& e, Step& step) { step.registers.forget(e.to, 4); }
  void execute(const LoadImmediate& e, Step& step) { step.registers.set(e.to, e.value); }
  void execute(const Bitwise& e, Step& step) {
    step.registers.combine(e.from, e.to, e.mask, e.flip);
  }
  void execute(const ToNetworkOrder& e, Step& step) { step.registers.forget(e.to, 4); }
  void execute(const Compare& e, Step& step) { need(step, holds(e, step.registers)); }
  void execute(const InRange& e, Step& step) { need(step, holds(e, step.registers)); }
  void execute(const Lookup& e, Step& step) {
    const Found found = find_in(table_.find_set(e.set), step.registers, e.from);
    need(step, e.is == Is::Yes ? found.truth : !found.truth);
    if (!e.verdict_map) return;
    if (found.element && found.element->verdict) step.verdict = found.element->verdict;
    if (found.truth == Truth::Maybe) step.verdict = Verdict{.kind = VerdictKind::Accept};
  }
  void execute(const StoreMeta& e, Step& step) {
    if (e.key != MetaKey::Mark || step.matches == Truth::No) return;
    const auto value = step.registers.read(e.from, sizeof(std::uint32_t));
    mark_.reset();
    if (!value || step.matches == Truth::Maybe) return;
    std::uint32_t mark;
    std::memcpy(&mark, value->data(), sizeof mark);
    mark_ = mark;
  }
  void execute(const StoreConn&, Step&) {}
  void execute(const StoreTcpOption&, Step&) {}
  void execute(const LogPacket&, Step&) {}
  void execute(const Counter&, Step&) {}
  void execute(const SkipTracking&, Step&) {}
  void execute(const NatMasquerade&, Step& step) { step.verdict = Verdict{}; }
  void execute(const NatSource&, Step& step) { step.verdict = Verdict{}; }
  void execute(const RejectPacket&, Step& step) {
    step.verdict = Verdict{.kind = VerdictKind::Drop};
    step.rejects = true;
  }
  void execute(const Verdict& e, Step& step) { step.verdict = e; }
  void execute(const XtConnState& e, Step& step) {
    need(step, truth_of(((e.states & packet_.state) != 0) == (e.is == Is::Yes)));
  }
  void execute(const XtPorts& e, Step& step) { need(step, holds(e, packet_)); }
  void execute(const XtAddressType& e, Step& step) { need(step, holds(e, packet_)); }
  void execute(const Opaque& e, Step& step) {
    if (e.kind == Opaque::Kind::Statement) return;
    step.registers.forget_all();
    if (e.kind == Opaque::Kind::Match) need(step, Truth::Maybe);
    if (e.kind == Opaque::Kind::Terminal) step.ends_unknown = true;
  }

  const ListedTable& table_;
  const PartialPacket& packet_;
  Headers headers_;
  std::optional<std::uint32_t> mark_;
  std::size_t steps_ = 0;
  bool uncertain_ = false;
  Judgement where_;
};

void Judge::run(const ListedRule& rule, Step& step) {
  for (const Expression& expression : rule.expressions) {
    std::visit([&](const auto& e) { execute(e, step); }, expression);
    if (step.matches == Truth::No || step.verdict || step.ends_unknown) return;
  }
}

void Judge::note_drop(const ListedChain& chain, const ListedRule& rule, bool rejected) {
  where_ = {.dropped = true, .chain = chain.name, .rule_handle = rule.handle, .rejected = rejected};
}

Way Judge::follow(const Verdict& verdict, int depth) {
  const ListedChain* target = table_.find_chain(verdict.chain);
  if (!target || depth >= kMaxDepth) {
    uncertain_ = true;
    return Way::Continue;
  }
  const Way way = walk(*target, depth + 1);
  if (way == Way::Accept || way == Way::Drop) return way;
  // A goto does not come back here, but to where the chain itself was called from.
  return verdict.kind == VerdictKind::Goto ? Way::Return : Way::Continue;
}

Way Judge::decide(const ListedChain& chain, const ListedRule& rule, const Step& step, int depth) {
  if (step.matches == Truth::No) return Way::Continue;
  if (step.ends_unknown) {
    uncertain_ = true;
    return Way::Continue;
  }
  if (!step.verdict) return Way::Continue;
  const VerdictKind kind = step.verdict->kind;
  if (step.matches == Truth::Maybe) {
    // What it might accept is not surely dropped further down; what it might drop is passed over.
    if (kind == VerdictKind::Accept || kind == VerdictKind::Queue || kind == VerdictKind::Return) {
      uncertain_ = true;
    } else if (kind == VerdictKind::Jump || kind == VerdictKind::Goto) {
      const Judgement before = where_;
      uncertain_ |= follow(*step.verdict, depth) == Way::Accept;
      where_ = before;
    }
    return Way::Continue;
  }
  switch (kind) {
    case VerdictKind::Accept:
      return Way::Accept;
    case VerdictKind::Drop:
      note_drop(chain, rule, step.rejects);
      return Way::Drop;
    case VerdictKind::Continue:
      return Way::Continue;
    case VerdictKind::Return:
      return Way::Return;
    case VerdictKind::Queue:
      uncertain_ = true;
      return Way::Accept;
    case VerdictKind::Jump:
    case VerdictKind::Goto:
      return follow(*step.verdict, depth);
  }
  std::unreachable();
}

Way Judge::walk(const ListedChain& chain, int depth) {
  for (const ListedRule& rule : chain.rules) {
    if (++steps_ > kMaxSteps) {
      uncertain_ = true;
      return Way::Accept;
    }
    Step step;
    run(rule, step);
    const Way way = decide(chain, rule, step, depth);
    if (way != Way::Continue) return way;
  }
  return Way::Continue;
}

}  // namespace

const ListedChain* ListedTable::find_chain(std::string_view chain) const {
  const auto found = std::ranges::find(chains, chain, &ListedChain::name);
  return found == chains.end() ? nullptr : &*found;
}

const Set* ListedTable::find_set(std::string_view set) const {
  const auto found = std::ranges::find(sets, set, &Set::name);
  return found == sets.end() ? nullptr : &*found;
}

Judgement judge(const ListedTable& table, const ListedChain& chain, const PartialPacket& packet) {
  Judge judge(table, packet);
  const Way way = judge.walk(chain, 0);
  Judgement judgement = judge.where();
  const bool by_policy =
      way != Way::Accept && way != Way::Drop && chain.base && chain.base->policy == Policy::Drop;
  if (by_policy) judgement = {.dropped = true, .chain = chain.name};
  judgement.dropped = by_policy || way == Way::Drop;
  judgement.certain = !judge.uncertain();
  judgement.mark = judge.mark();
  return judgement;
}

}  // namespace ginnel::hostnet::nft

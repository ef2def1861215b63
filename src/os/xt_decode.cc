#include "os/xt_decode.h"

#include <linux/netfilter/xt_addrtype.h>
#include <linux/netfilter/xt_conntrack.h>
#include <linux/netfilter/xt_multiport.h>
#include <linux/netfilter/xt_state.h>
#include <linux/netfilter/xt_tcpudp.h>

#include <algorithm>
#include <optional>
#include <string>

namespace ginnel::os {
namespace {

using namespace hostnet::nft;

// The kernel pads them to its own alignment, so longer is fine.
template <class T>
std::optional<T> read_struct(ByteView info) {
  if (info.size() < sizeof(T)) return std::nullopt;
  T value;
  std::memcpy(&value, info.data(), sizeof value);
  return value;
}

Is unless(bool inverted) { return inverted ? Is::No : Is::Yes; }

// The kernel's bits, but for what is beyond them: whether the source was translated depends on the
// flow, and nobody translates the destination of ours.
std::optional<Expression> conn_state(std::uint16_t mask, std::uint16_t inverted) {
  if (mask & XT_CONNTRACK_STATE_SNAT) return std::nullopt;
  std::uint16_t states = mask & (kInvalid | kEstablished | kRelated | kNew);
  if (mask & XT_CONNTRACK_STATE_UNTRACKED) states |= kUntracked;
  return XtConnState{.states = states, .is = unless(inverted & XT_CONNTRACK_STATE)};
}

std::optional<Expression> decode_conntrack(unsigned revision, ByteView info) {
  // Of the three, only the state alone is understood; addresses and ports of the connection not.
  if (revision == 1) {
    const auto m = read_struct<xt_conntrack_mtinfo1>(info);
    if (!m || m->match_flags != XT_CONNTRACK_STATE) return std::nullopt;
    return conn_state(m->state_mask, m->invert_flags);
  }
  if (revision == 2 || revision == 3) {
    const auto m = read_struct<xt_conntrack_mtinfo2>(info);  // Revision 3 begins alike.
    if (!m || (m->match_flags & ~XT_CONNTRACK_STATE_ALIAS) != XT_CONNTRACK_STATE) {
      return std::nullopt;
    }
    return conn_state(m->state_mask, m->invert_flags);
  }
  return std::nullopt;
}

std::optional<Expression> decode_state(ByteView info) {
  const auto m = read_struct<xt_state_info>(info);
  if (!m) return std::nullopt;
  return XtConnState{.states = static_cast<std::uint16_t>(m->statemask)};
}

bool is_any_port(const std::uint16_t (&range)[2]) { return range[0] == 0 && range[1] == 0xffff; }

// Source and destination, of which one may be restricted.
std::optional<Expression> ports_of(const std::uint16_t (&source)[2],
                                   const std::uint16_t (&destination)[2], bool source_inverted,
                                   bool destination_inverted) {
  if (is_any_port(source) && !source_inverted) {
    return XtPorts{.side = Side::Destination,
                   .ports = {{destination[0], destination[1]}},
                   .is = unless(destination_inverted)};
  }
  if (is_any_port(destination) && !destination_inverted) {
    return XtPorts{
        .side = Side::Source, .ports = {{source[0], source[1]}}, .is = unless(source_inverted)};
  }
  return std::nullopt;
}

std::optional<Expression> decode_udp(ByteView info) {
  const auto m = read_struct<xt_udp>(info);
  if (!m) return std::nullopt;
  return ports_of(m->spts, m->dpts, m->invflags & XT_UDP_INV_SRCPT, m->invflags & XT_UDP_INV_DSTPT);
}

std::optional<Expression> decode_tcp(ByteView info) {
  const auto m = read_struct<xt_tcp>(info);
  if (!m || m->option != 0 || m->flg_mask != 0) return std::nullopt;
  return ports_of(m->spts, m->dpts, m->invflags & XT_TCP_INV_SRCPT, m->invflags & XT_TCP_INV_DSTPT);
}

std::optional<Expression> decode_multiport(unsigned revision, ByteView info) {
  const auto m = read_struct<xt_multiport_v1>(info);
  if (revision != 1 || !m || m->count > XT_MULTI_PORTS) return std::nullopt;
  XtPorts ports{.side = m->flags == XT_MULTIPORT_SOURCE ? Side::Source : Side::Destination,
                .either_side = m->flags == XT_MULTIPORT_EITHER,
                .is = unless(m->invert)};
  for (unsigned i = 0; i < m->count; ++i) {
    PortRange range = PortRange::one(m->ports[i]);
    // A flagged port begins a range that the next one ends.
    if (m->pflags[i] && i + 1 < m->count) range.last = m->ports[++i];
    ports.ports.push_back(range);
  }
  return ports;
}

std::optional<Expression> decode_address_type(unsigned revision, ByteView info) {
  const auto m = read_struct<xt_addrtype_info_v1>(info);
  if (revision != 1 || !m || m->flags != 0) return std::nullopt;  // Inverted, or of one interface.
  return XtAddressType{.source = m->source, .destination = m->dest};
}

std::optional<Expression> decode_known_match(std::string_view name, unsigned revision,
                                             ByteView info) {
  if (name == "conntrack") return decode_conntrack(revision, info);
  if (name == "state") return decode_state(info);
  if (name == "udp") return decode_udp(info);
  if (name == "tcp") return decode_tcp(info);
  if (name == "multiport") return decode_multiport(revision, info);
  if (name == "addrtype") return decode_address_type(revision, info);
  if (name == "comment") return Opaque{.kind = Opaque::Kind::Statement, .name = std::string(name)};
  return std::nullopt;
}

}  // namespace

Expression decode_xt_match(std::string_view name, unsigned revision, ByteView info) {
  if (auto known = decode_known_match(name, revision, info)) return std::move(*known);
  return Opaque{.kind = Opaque::Kind::Match, .name = std::string(name)};
}

Expression decode_xt_target(std::string_view name) {
  if (name == "REJECT") return RejectPacket{};
  if (name == "DROP") return Verdict{.kind = VerdictKind::Drop};
  // Targets after which the walk goes on. All others decide something.
  constexpr std::string_view kPassing[] = {
      "LOG",     "NFLOG",       "ULOG",     "MARK",    "CONNMARK",  "CT",
      "NOTRACK", "TCPMSS",      "CLASSIFY", "DSCP",    "TOS",       "TTL",
      "HL",      "AUDIT",       "CHECKSUM", "TEE",     "TRACE",     "SET",
      "SECMARK", "CONNSECMARK", "HMARK",    "RATEEST", "IDLETIMER", "TCPOPTSTRIP"};
  const bool passes = std::ranges::find(kPassing, name) != std::end(kPassing);
  return Opaque{.kind = passes ? Opaque::Kind::Statement : Opaque::Kind::Terminal,
                .name = std::string(name)};
}

}  // namespace ginnel::os

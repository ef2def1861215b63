#include "os/nft_decode.h"

#include <libnftnl/expr.h>
#include <linux/netfilter/nf_nat.h>
#include <linux/netfilter/nf_tables.h>

#include <algorithm>
#include <string_view>

#include "os/nft_object.h"
#include "os/xt_decode.h"

namespace ginnel::os {
namespace {

using namespace hostnet::nft;

// Reads attributes of one expression; a missing one is zero or empty.
class Attributes {
 public:
  explicit Attributes(const nftnl_expr* expression) : expression_(expression) {}

  bool has(std::uint16_t attribute) const { return nftnl_expr_is_set(expression_, attribute); }
  std::uint32_t u32(std::uint16_t attribute) const {
    return has(attribute) ? nftnl_expr_get_u32(expression_, attribute) : 0;
  }
  std::uint8_t u8(std::uint16_t attribute) const {
    return has(attribute) ? nftnl_expr_get_u8(expression_, attribute) : std::uint8_t{0};
  }
  std::string text(std::uint16_t attribute) const {
    const char* value = has(attribute) ? nftnl_expr_get_str(expression_, attribute) : nullptr;
    return value ? value : "";
  }
  Bytes data(std::uint16_t attribute) const {
    std::uint32_t size = 0;
    const void* value = has(attribute) ? nftnl_expr_get(expression_, attribute, &size) : nullptr;
    const auto* bytes = static_cast<const std::uint8_t*>(value);
    return value ? Bytes(bytes, bytes + size) : Bytes();
  }
  std::optional<Register> reg(std::uint16_t attribute) const {
    return register_from(u32(attribute));
  }

 private:
  const nftnl_expr* expression_;
};

using Decoded = std::optional<Expression>;  // Nothing: of a kind that we do not read.

Decoded decode_meta(const Attributes& a) {
  const MetaKey key = meta_key_from(a.u32(NFTNL_EXPR_META_KEY));
  if (a.has(NFTNL_EXPR_META_SREG)) {
    const auto from = a.reg(NFTNL_EXPR_META_SREG);
    if (!from) return std::nullopt;
    return StoreMeta{.key = key, .from = *from};
  }
  const auto to = a.reg(NFTNL_EXPR_META_DREG);
  if (!to) return std::nullopt;
  return LoadMeta{.key = key, .to = *to};
}

Decoded decode_payload(const Attributes& a) {
  // Writing into a packet has no register to load.
  if (a.has(NFTNL_EXPR_PAYLOAD_SREG)) {
    return Opaque{.kind = Opaque::Kind::Statement, .name = "payload"};
  }
  const auto to = a.reg(NFTNL_EXPR_PAYLOAD_DREG);
  const std::uint32_t base = a.u32(NFTNL_EXPR_PAYLOAD_BASE);
  if (!to || base > NFT_PAYLOAD_INNER_HEADER) return std::nullopt;
  return LoadPayload{.base = static_cast<PayloadBase>(base),
                     .offset = a.u32(NFTNL_EXPR_PAYLOAD_OFFSET),
                     .length = a.u32(NFTNL_EXPR_PAYLOAD_LEN),
                     .to = *to};
}
static_assert(int{NFT_PAYLOAD_NETWORK_HEADER} == static_cast<int>(PayloadBase::Network) &&
              int{NFT_PAYLOAD_TRANSPORT_HEADER} == static_cast<int>(PayloadBase::Transport));

Decoded decode_conn(const Attributes& a) {
  const ConnKey key = conn_key_from(a.u32(NFTNL_EXPR_CT_KEY));
  if (a.has(NFTNL_EXPR_CT_SREG)) {
    const auto from = a.reg(NFTNL_EXPR_CT_SREG);
    if (!from) return std::nullopt;
    return StoreConn{.key = key, .from = *from};
  }
  const auto to = a.reg(NFTNL_EXPR_CT_DREG);
  if (!to) return std::nullopt;
  LoadConn load{.key = key, .to = *to};
  if (a.has(NFTNL_EXPR_CT_DIR)) {
    load.way = a.u8(NFTNL_EXPR_CT_DIR) == 0 ? ConnWay::Original : ConnWay::Reply;
  }
  return load;
}

Decoded decode_fib(const Attributes& a) {
  const auto to = a.reg(NFTNL_EXPR_FIB_DREG);
  if (!to) return std::nullopt;
  const std::uint32_t flags = a.u32(NFTNL_EXPR_FIB_FLAGS);
  FibResult result = FibResult::OutIndex;
  if (a.u32(NFTNL_EXPR_FIB_RESULT) == NFT_FIB_RESULT_OIFNAME) result = FibResult::OutName;
  if (a.u32(NFTNL_EXPR_FIB_RESULT) == NFT_FIB_RESULT_ADDRTYPE) result = FibResult::AddressType;
  return LoadFib{.source = (flags & NFTA_FIB_F_SADDR) != 0,
                 .with_in_interface = (flags & NFTA_FIB_F_IIF) != 0,
                 .only_presence = (flags & NFTA_FIB_F_PRESENT) != 0,
                 .result = result,
                 .to = *to};
}

Decoded decode_route(const Attributes& a) {
  const auto to = a.reg(NFTNL_EXPR_RT_DREG);
  if (!to || a.u32(NFTNL_EXPR_RT_KEY) != NFT_RT_TCPMSS) return std::nullopt;
  return LoadRouteMss{.to = *to};
}

Decoded decode_immediate(const Attributes& a) {
  if (a.has(NFTNL_EXPR_IMM_VERDICT)) {
    const auto kind = verdict_from(a.u32(NFTNL_EXPR_IMM_VERDICT));
    if (!kind) return Opaque{.kind = Opaque::Kind::Terminal, .name = "immediate"};
    return Verdict{.kind = *kind, .chain = a.text(NFTNL_EXPR_IMM_CHAIN)};
  }
  const auto to = a.reg(NFTNL_EXPR_IMM_DREG);
  if (!to) return std::nullopt;
  return LoadImmediate{.to = *to, .value = a.data(NFTNL_EXPR_IMM_DATA)};
}

Decoded decode_bitwise(const Attributes& a) {
  const auto from = a.reg(NFTNL_EXPR_BITWISE_SREG);
  const auto to = a.reg(NFTNL_EXPR_BITWISE_DREG);
  Bytes mask = a.data(NFTNL_EXPR_BITWISE_MASK);
  Bytes flip = a.data(NFTNL_EXPR_BITWISE_XOR);
  const bool is_mask = a.u32(NFTNL_EXPR_BITWISE_OP) == NFT_BITWISE_BOOL && !mask.empty();
  if (!from || !to || !is_mask || mask.size() != flip.size()) return std::nullopt;
  return Bitwise{.from = *from, .to = *to, .mask = std::move(mask), .flip = std::move(flip)};
}

Decoded decode_byteorder(const Attributes& a) {
  const auto from = a.reg(NFTNL_EXPR_BYTEORDER_SREG);
  const auto to = a.reg(NFTNL_EXPR_BYTEORDER_DREG);
  if (!from || !to || a.u32(NFTNL_EXPR_BYTEORDER_LEN) != 2) return std::nullopt;
  return ToNetworkOrder{.from = *from, .to = *to};
}

Decoded decode_compare(const Attributes& a) {
  const auto from = a.reg(NFTNL_EXPR_CMP_SREG);
  if (!from) return std::nullopt;
  return Compare{.with = compare_from(a.u32(NFTNL_EXPR_CMP_OP)),
                 .from = *from,
                 .value = a.data(NFTNL_EXPR_CMP_DATA)};
}

Decoded decode_range(const Attributes& a) {
  const auto from = a.reg(NFTNL_EXPR_RANGE_SREG);
  if (!from) return std::nullopt;
  return InRange{.from = *from,
                 .first = a.data(NFTNL_EXPR_RANGE_FROM_DATA),
                 .last = a.data(NFTNL_EXPR_RANGE_TO_DATA),
                 .is = a.u32(NFTNL_EXPR_RANGE_OP) == NFT_RANGE_NEQ ? Is::No : Is::Yes};
}

Decoded decode_lookup(const Attributes& a) {
  const auto from = a.reg(NFTNL_EXPR_LOOKUP_SREG);
  if (!from) return std::nullopt;
  const bool maps = a.has(NFTNL_EXPR_LOOKUP_DREG);
  // A map of data, not of verdicts, loads a register.
  if (maps && a.u32(NFTNL_EXPR_LOOKUP_DREG) != NFT_REG_VERDICT) return std::nullopt;
  return Lookup{.set = a.text(NFTNL_EXPR_LOOKUP_SET),
                .from = *from,
                .verdict_map = maps,
                .is = (a.u32(NFTNL_EXPR_LOOKUP_FLAGS) & NFT_LOOKUP_F_INV) ? Is::No : Is::Yes};
}

Decoded decode_socket(const Attributes& a) {
  const auto to = a.reg(NFTNL_EXPR_SOCKET_DREG);
  if (!to || a.u32(NFTNL_EXPR_SOCKET_KEY) != NFT_SOCKET_CGROUPV2) return std::nullopt;
  return LoadSocketCgroup{.level = a.u32(NFTNL_EXPR_SOCKET_LEVEL), .to = *to};
}

Decoded decode_extension(const Attributes& a) {
  const auto to = a.reg(NFTNL_EXPR_EXTHDR_DREG);
  const bool is_field =
      a.u32(NFTNL_EXPR_EXTHDR_OP) == NFT_EXTHDR_OP_IPV6 && a.u32(NFTNL_EXPR_EXTHDR_FLAGS) == 0;
  if (!to || !is_field) return std::nullopt;
  return LoadExtension{.header = a.u8(NFTNL_EXPR_EXTHDR_TYPE),
                       .offset = a.u32(NFTNL_EXPR_EXTHDR_OFFSET),
                       .length = a.u32(NFTNL_EXPR_EXTHDR_LEN),
                       .to = *to};
}

Decoded decode_exthdr(const Attributes& a) {
  if (!a.has(NFTNL_EXPR_EXTHDR_SREG)) return decode_extension(a);
  const auto from = a.reg(NFTNL_EXPR_EXTHDR_SREG);
  if (!from || a.u32(NFTNL_EXPR_EXTHDR_OP) != NFT_EXTHDR_OP_TCPOPT) return std::nullopt;
  return StoreTcpOption{.option = a.u8(NFTNL_EXPR_EXTHDR_TYPE),
                        .offset = a.u32(NFTNL_EXPR_EXTHDR_OFFSET),
                        .length = a.u32(NFTNL_EXPR_EXTHDR_LEN),
                        .from = *from};
}

Decoded decode_match(const Attributes& a) {
  return decode_xt_match(a.text(NFTNL_EXPR_MT_NAME), a.u32(NFTNL_EXPR_MT_REV),
                         a.data(NFTNL_EXPR_MT_INFO));
}

Decoded decode_target(const Attributes& a) { return decode_xt_target(a.text(NFTNL_EXPR_TG_NAME)); }

Decoded decode_reject(const Attributes& a) {
  return RejectPacket{.type = a.u32(NFTNL_EXPR_REJECT_TYPE), .code = a.u8(NFTNL_EXPR_REJECT_CODE)};
}

Decoded decode_log(const Attributes& a) {
  return LogPacket{.prefix = a.text(NFTNL_EXPR_LOG_PREFIX), .level = a.u32(NFTNL_EXPR_LOG_LEVEL)};
}

Decoded decode_nat(const Attributes& a) {
  const auto address = a.reg(NFTNL_EXPR_NAT_REG_ADDR_MIN);
  const bool source = a.u32(NFTNL_EXPR_NAT_TYPE) == NFT_NAT_SNAT && address;
  if (!source) return Opaque{.kind = Opaque::Kind::Terminal, .name = "nat"};
  return NatSource{.family = family_from(a.u32(NFTNL_EXPR_NAT_FAMILY)) == Family::Ip
                                 ? net::Family::V4
                                 : net::Family::V6,
                   .address = *address};
}

Decoded decode_masquerade(const Attributes& a) {
  NatMasquerade masquerade;
  masquerade.random = (a.u32(NFTNL_EXPR_MASQ_FLAGS) & NF_NAT_RANGE_PROTO_RANDOM_FULLY) != 0;
  const auto first = a.reg(NFTNL_EXPR_MASQ_REG_PROTO_MIN);
  const auto last = a.reg(NFTNL_EXPR_MASQ_REG_PROTO_MAX);
  if (first && last) masquerade.ports.emplace(*first, *last);
  return masquerade;
}
Decoded decode_notrack(const Attributes&) { return SkipTracking{}; }
Decoded decode_counter(const Attributes&) { return Counter{}; }
Decoded decode_queue(const Attributes&) { return Verdict{.kind = VerdictKind::Queue}; }

struct Decoder {
  std::string_view name;
  Decoded (*decode)(const Attributes&);
};
constexpr Decoder kDecoders[] = {
    {"meta", decode_meta},       {"payload", decode_payload},
    {"ct", decode_conn},         {"fib", decode_fib},
    {"rt", decode_route},        {"immediate", decode_immediate},
    {"bitwise", decode_bitwise}, {"byteorder", decode_byteorder},
    {"cmp", decode_compare},     {"range", decode_range},
    {"lookup", decode_lookup},   {"exthdr", decode_exthdr},
    {"match", decode_match},     {"target", decode_target},
    {"reject", decode_reject},   {"log", decode_log},
    {"nat", decode_nat},         {"masq", decode_masquerade},
    {"counter", decode_counter}, {"queue", decode_queue},
    {"socket", decode_socket},   {"notrack", decode_notrack},
};
// These pass every packet on and load no register.
constexpr std::string_view kStatements[] = {"dup", "flow_offload", "last"};
// These decide by themselves.
constexpr std::string_view kTerminals[] = {"redir", "tproxy", "synproxy", "fwd"};

}  // namespace

Expression decode_expression(const nftnl_expr* expression) {
  const char* text = nftnl_expr_get_str(expression, NFTNL_EXPR_NAME);
  const std::string_view name = text ? text : "";
  const auto decoder = std::ranges::find(kDecoders, name, &Decoder::name);
  if (decoder != std::end(kDecoders)) {
    if (auto decoded = decoder->decode(Attributes(expression))) return std::move(*decoded);
  }
  Opaque::Kind kind = Opaque::Kind::Match;
  if (std::ranges::find(kStatements, name) != std::end(kStatements)) kind = Opaque::Kind::Statement;
  if (std::ranges::find(kTerminals, name) != std::end(kTerminals)) kind = Opaque::Kind::Terminal;
  return Opaque{.kind = kind, .name = std::string(name)};
}

}  // namespace ginnel::os

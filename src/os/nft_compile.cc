#include "os/nft_compile.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <libmnl/libmnl.h>
#include <libnftnl/common.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_nat.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include "core/hostnet/nft_lower.h"
#include "core/hostnet/nft_print.h"
#include "os/netlink_socket.h"
#include "os/nft_object.h"

namespace ginnel::os {
namespace {

namespace nft = hostnet::nft;

// libnftnl's attributes of expressions are numbered anew for each kind, so they come as pairs.
class ExpressionWriter {
 public:
  explicit ExpressionWriter(nftnl_rule* rule) : rule_(rule) {}

  void operator()(const nft::LoadMeta& e) {
    start("meta");
    u32(NFTNL_EXPR_META_KEY, number_of(e.key));
    u32(NFTNL_EXPR_META_DREG, register_number(e.to));
  }
  void operator()(const nft::StoreMeta& e) {
    start("meta");
    u32(NFTNL_EXPR_META_KEY, number_of(e.key));
    u32(NFTNL_EXPR_META_SREG, register_number(e.from));
  }
  void operator()(const nft::LoadPayload& e) {
    start("payload");
    u32(NFTNL_EXPR_PAYLOAD_DREG, register_number(e.to));
    u32(NFTNL_EXPR_PAYLOAD_BASE, static_cast<std::uint32_t>(e.base));
    u32(NFTNL_EXPR_PAYLOAD_OFFSET, e.offset);
    u32(NFTNL_EXPR_PAYLOAD_LEN, e.length);
  }
  void operator()(const nft::LoadConn& e) {
    start("ct");
    u32(NFTNL_EXPR_CT_KEY, number_of(e.key));
    u32(NFTNL_EXPR_CT_DREG, register_number(e.to));
    if (e.way) u8(NFTNL_EXPR_CT_DIR, std::to_underlying(*e.way));
  }
  void operator()(const nft::StoreConn& e) {
    start("ct");
    u32(NFTNL_EXPR_CT_KEY, number_of(e.key));
    u32(NFTNL_EXPR_CT_SREG, register_number(e.from));
  }
  void operator()(const nft::LoadFib& e) {
    start("fib");
    u32(NFTNL_EXPR_FIB_DREG, register_number(e.to));
    u32(NFTNL_EXPR_FIB_RESULT, e.result == nft::FibResult::AddressType ? NFT_FIB_RESULT_ADDRTYPE
                               : e.result == nft::FibResult::OutName   ? NFT_FIB_RESULT_OIFNAME
                                                                       : NFT_FIB_RESULT_OIF);
    std::uint32_t flags = e.source ? NFTA_FIB_F_SADDR : NFTA_FIB_F_DADDR;
    if (e.with_in_interface) flags |= NFTA_FIB_F_IIF;
    if (e.only_presence) flags |= NFTA_FIB_F_PRESENT;
    u32(NFTNL_EXPR_FIB_FLAGS, flags);
  }
  void operator()(const nft::LoadSocketCgroup& e) {
    start("socket");
    u32(NFTNL_EXPR_SOCKET_KEY, NFT_SOCKET_CGROUPV2);
    u32(NFTNL_EXPR_SOCKET_DREG, register_number(e.to));
    u32(NFTNL_EXPR_SOCKET_LEVEL, e.level);
  }
  void operator()(const nft::LoadExtension& e) {
    start("exthdr");
    u32(NFTNL_EXPR_EXTHDR_DREG, register_number(e.to));
    u8(NFTNL_EXPR_EXTHDR_TYPE, e.header);
    u32(NFTNL_EXPR_EXTHDR_OFFSET, e.offset);
    u32(NFTNL_EXPR_EXTHDR_LEN, e.length);
    u32(NFTNL_EXPR_EXTHDR_OP, NFT_EXTHDR_OP_IPV6);
  }
  void operator()(const nft::LoadRouteMss& e) {
    start("rt");
    u32(NFTNL_EXPR_RT_KEY, NFT_RT_TCPMSS);
    u32(NFTNL_EXPR_RT_DREG, register_number(e.to));
  }
  void operator()(const nft::LoadImmediate& e) {
    start("immediate");
    u32(NFTNL_EXPR_IMM_DREG, register_number(e.to));
    data(NFTNL_EXPR_IMM_DATA, e.value);
  }
  void operator()(const nft::Verdict& e) {
    start("immediate");
    u32(NFTNL_EXPR_IMM_DREG, NFT_REG_VERDICT);
    u32(NFTNL_EXPR_IMM_VERDICT, number_of(e.kind));
    if (!e.chain.empty()) nftnl_expr_set_str(expression_, NFTNL_EXPR_IMM_CHAIN, e.chain.c_str());
  }
  void operator()(const nft::Bitwise& e) {
    start("bitwise");
    u32(NFTNL_EXPR_BITWISE_SREG, register_number(e.from));
    u32(NFTNL_EXPR_BITWISE_DREG, register_number(e.to));
    u32(NFTNL_EXPR_BITWISE_OP, NFT_BITWISE_BOOL);
    u32(NFTNL_EXPR_BITWISE_LEN, static_cast<std::uint32_t>(e.mask.size()));
    data(NFTNL_EXPR_BITWISE_MASK, e.mask);
    data(NFTNL_EXPR_BITWISE_XOR, e.flip);
  }
  void operator()(const nft::ToNetworkOrder& e) {
    start("byteorder");
    u32(NFTNL_EXPR_BYTEORDER_SREG, register_number(e.from));
    u32(NFTNL_EXPR_BYTEORDER_DREG, register_number(e.to));
    u32(NFTNL_EXPR_BYTEORDER_OP, NFT_BYTEORDER_HTON);
    u32(NFTNL_EXPR_BYTEORDER_LEN, 2);
    u32(NFTNL_EXPR_BYTEORDER_SIZE, 2);
  }
  void operator()(const nft::Compare& e) {
    start("cmp");
    u32(NFTNL_EXPR_CMP_SREG, register_number(e.from));
    u32(NFTNL_EXPR_CMP_OP, number_of(e.with));
    data(NFTNL_EXPR_CMP_DATA, e.value);
  }
  void operator()(const nft::InRange& e) {
    start("range");
    u32(NFTNL_EXPR_RANGE_SREG, register_number(e.from));
    u32(NFTNL_EXPR_RANGE_OP, e.is == nft::Is::Yes ? NFT_RANGE_EQ : NFT_RANGE_NEQ);
    data(NFTNL_EXPR_RANGE_FROM_DATA, e.first);
    data(NFTNL_EXPR_RANGE_TO_DATA, e.last);
  }
  void operator()(const nft::Lookup& e) {
    start("lookup");
    u32(NFTNL_EXPR_LOOKUP_SREG, register_number(e.from));
    nftnl_expr_set_str(expression_, NFTNL_EXPR_LOOKUP_SET, e.set.c_str());
    if (e.set_id != 0) u32(NFTNL_EXPR_LOOKUP_SET_ID, e.set_id);
    if (e.verdict_map) u32(NFTNL_EXPR_LOOKUP_DREG, NFT_REG_VERDICT);
    if (e.is == nft::Is::No) u32(NFTNL_EXPR_LOOKUP_FLAGS, NFT_LOOKUP_F_INV);
  }
  void operator()(const nft::StoreTcpOption& e) {
    start("exthdr");
    u32(NFTNL_EXPR_EXTHDR_SREG, register_number(e.from));
    u8(NFTNL_EXPR_EXTHDR_TYPE, e.option);
    u32(NFTNL_EXPR_EXTHDR_OFFSET, e.offset);
    u32(NFTNL_EXPR_EXTHDR_LEN, e.length);
    u32(NFTNL_EXPR_EXTHDR_OP, NFT_EXTHDR_OP_TCPOPT);
  }
  void operator()(const nft::SkipTracking&) { start("notrack"); }
  void operator()(const nft::NatMasquerade& e) {
    start("masq");
    std::uint32_t flags = e.random ? NF_NAT_RANGE_PROTO_RANDOM_FULLY : 0;
    if (e.ports) {
      flags |= NF_NAT_RANGE_PROTO_SPECIFIED;
      u32(NFTNL_EXPR_MASQ_REG_PROTO_MIN, register_number(e.ports->first));
      u32(NFTNL_EXPR_MASQ_REG_PROTO_MAX, register_number(e.ports->second));
    }
    if (flags != 0) u32(NFTNL_EXPR_MASQ_FLAGS, flags);
  }
  void operator()(const nft::NatSource& e) {
    start("nat");
    u32(NFTNL_EXPR_NAT_TYPE, NFT_NAT_SNAT);
    u32(NFTNL_EXPR_NAT_FAMILY, e.family == net::Family::V4 ? NFPROTO_IPV4 : NFPROTO_IPV6);
    u32(NFTNL_EXPR_NAT_REG_ADDR_MIN, register_number(e.address));
    u32(NFTNL_EXPR_NAT_FLAGS, NF_NAT_RANGE_MAP_IPS);
  }
  void operator()(const nft::RejectPacket& e) {
    start("reject");
    u32(NFTNL_EXPR_REJECT_TYPE, e.type);
    u8(NFTNL_EXPR_REJECT_CODE, e.code);
  }
  void operator()(const nft::LogPacket& e) {
    start("log");
    if (!e.prefix.empty()) nftnl_expr_set_str(expression_, NFTNL_EXPR_LOG_PREFIX, e.prefix.c_str());
    u32(NFTNL_EXPR_LOG_LEVEL, e.level);
  }
  void operator()(const nft::Counter&) { start("counter"); }
  // What is only ever read of others' rules.
  void operator()(const nft::XtConnState&) { CHECK(false); }
  void operator()(const nft::XtPorts&) { CHECK(false); }
  void operator()(const nft::XtAddressType&) { CHECK(false); }
  void operator()(const nft::Opaque&) { CHECK(false); }

 private:
  void start(const char* name) {
    expression_ = nftnl_expr_alloc(name);
    CHECK(expression_ != nullptr);
    nftnl_rule_add_expr(rule_, expression_);  // Owns it from here.
  }
  void u8(std::uint16_t attribute, std::uint8_t value) {
    nftnl_expr_set_u8(expression_, attribute, value);
  }
  void u32(std::uint16_t attribute, std::uint32_t value) {
    nftnl_expr_set_u32(expression_, attribute, value);
  }
  void data(std::uint16_t attribute, const nft::Bytes& value) {
    nftnl_expr_set(expression_, attribute, value.data(), static_cast<std::uint32_t>(value.size()));
  }

  nftnl_rule* rule_;
  nftnl_expr* expression_ = nullptr;
};

using UserData = std::unique_ptr<nftnl_udata_buf, NftnlFree<nftnl_udata_buf_free>>;

UserData comment_data(const std::string& comment) {
  auto data = own<UserData>(nftnl_udata_buf_alloc(NFT_USERDATA_MAXLEN));
  CHECK(nftnl_udata_put_strz(data.get(), NFTNL_UDATA_RULE_COMMENT, comment.c_str()));
  return data;
}
static_assert(int{NFTNL_UDATA_RULE_COMMENT} == int{NFTNL_UDATA_TABLE_COMMENT});

// NFT_TABLE_F_OWNER and NFT_TABLE_F_PERSIST (kernel 6.9), which Debian 12's headers lack. Never one
// without the other: the table would go with the socket.
constexpr std::uint32_t kTableOwned = 0x2 | 0x4;

// Which end of a set's keys is first, as nft(8) wants to be told when it prints them.
constexpr std::uint32_t kHostEndian = 1;
constexpr std::uint32_t kBigEndian = 2;

NftnlSet set_object(const NftPlace& place, const nft::Set& set) {
  auto object = own<NftnlSet>(nftnl_set_alloc());
  nftnl_set_set_u32(object.get(), NFTNL_SET_FAMILY, number_of(place.family));
  nftnl_set_set_str(object.get(), NFTNL_SET_TABLE, place.table.c_str());
  nftnl_set_set_str(object.get(), NFTNL_SET_NAME, set.name.c_str());
  nftnl_set_set_u32(object.get(), NFTNL_SET_ID, set.id);
  std::uint32_t flags = set.verdict_map ? NFT_SET_MAP
                        : set.fades     ? NFT_SET_TIMEOUT
                                        : NFT_SET_ANONYMOUS | NFT_SET_CONSTANT;
  if (set.interval) flags |= NFT_SET_INTERVAL;
  nftnl_set_set_u32(object.get(), NFTNL_SET_FLAGS, flags);
  nftnl_set_set_u32(object.get(), NFTNL_SET_KEY_TYPE, number_of(set.key_type));
  nftnl_set_set_u32(object.get(), NFTNL_SET_KEY_LEN, set.key_length);
  if (set.verdict_map) {
    nftnl_set_set_u32(object.get(), NFTNL_SET_DATA_TYPE, NFT_DATA_VERDICT);
  } else if (set.fades) {
    const std::chrono::milliseconds lifetime = set.lifetime;
    nftnl_set_set_u64(object.get(), NFTNL_SET_TIMEOUT,
                      static_cast<std::uint64_t>(lifetime.count()));
  } else {
    nftnl_set_set_u32(object.get(), NFTNL_SET_DESC_SIZE,
                      static_cast<std::uint32_t>(set.elements.size()));
  }
  auto data = own<UserData>(nftnl_udata_buf_alloc(NFT_USERDATA_MAXLEN));
  CHECK(nftnl_udata_put_u32(data.get(), NFTNL_UDATA_SET_KEYBYTEORDER,
                            set.key_type == nft::KeyType::Interface ? kHostEndian : kBigEndian));
  nftnl_set_set_data(object.get(), NFTNL_SET_USERDATA, nftnl_udata_buf_data(data.get()),
                     nftnl_udata_buf_len(data.get()));
  for (const nft::SetElement& element : set.elements) {
    nftnl_set_elem* added = nftnl_set_elem_alloc();
    CHECK(added != nullptr);
    nftnl_set_elem_set(added, NFTNL_SET_ELEM_KEY, element.key.data(),
                       static_cast<std::uint32_t>(element.key.size()));
    if (element.verdict) {
      nftnl_set_elem_set_u32(added, NFTNL_SET_ELEM_VERDICT, number_of(element.verdict->kind));
      nftnl_set_elem_set_str(added, NFTNL_SET_ELEM_CHAIN, element.verdict->chain.c_str());
    }
    if (element.interval_end) {
      nftnl_set_elem_set_u32(added, NFTNL_SET_ELEM_FLAGS, NFT_SET_ELEM_INTERVAL_END);
    }
    nftnl_set_elem_add(object.get(), added);  // Owns it from here.
  }
  return object;
}

NftnlRule rule_object(const NftPlace& place) {
  auto object = own<NftnlRule>(nftnl_rule_alloc());
  nftnl_rule_set_u32(object.get(), NFTNL_RULE_FAMILY, number_of(place.family));
  nftnl_rule_set_str(object.get(), NFTNL_RULE_TABLE, place.table.c_str());
  nftnl_rule_set_str(object.get(), NFTNL_RULE_CHAIN, place.chain.c_str());
  return object;
}

// Appends the header that opens or closes a transaction.
void append_bracket(std::vector<std::uint8_t>& bytes, std::uint16_t type, std::uint32_t sequence) {
  std::array<std::uint8_t, MNL_NLMSG_HDRLEN + sizeof(nfgenmsg)> bracket{};
  auto* header = mnl_nlmsg_put_header(bracket.data());
  header->nlmsg_type = type;
  header->nlmsg_flags = NLM_F_REQUEST;
  header->nlmsg_seq = sequence;
  auto* subsystem = static_cast<nfgenmsg*>(mnl_nlmsg_put_extra_header(header, sizeof(nfgenmsg)));
  subsystem->nfgen_family = AF_UNSPEC;
  subsystem->version = NFNETLINK_V0;
  subsystem->res_id = htons(NFNL_SUBSYS_NFTABLES);
  bytes.insert(bytes.end(), bracket.begin(), bracket.end());
}

}  // namespace

NftBatch::NftBatch() : message_(kMaxNetlinkMessage) {
  append_bracket(bytes_, NFNL_MSG_BATCH_BEGIN, 0);
}

ByteView NftBatch::finish() {
  append_bracket(bytes_, NFNL_MSG_BATCH_END, static_cast<std::uint32_t>(objects_.size()) + 1);
  return bytes_;
}

std::string_view NftBatch::object(std::uint32_t sequence) const {
  return sequence >= 1 && sequence <= objects_.size() ? std::string_view(objects_[sequence - 1])
                                                      : std::string_view("nftables transaction");
}

template <class Build>
void NftBatch::append(std::uint16_t type, nft::Family family, std::uint16_t flags,
                      std::string object, Build&& build) {
  objects_.push_back(std::move(object));
  const auto sequence = static_cast<std::uint32_t>(objects_.size());
  if (sequence == acknowledged()) flags |= NLM_F_ACK;
  auto* header = nftnl_nlmsg_build_hdr(reinterpret_cast<char*>(message_.data()), type,
                                       number_of(family), flags, sequence);
  build(header);
  CHECK(header->nlmsg_len <= message_.size());
  const auto end = message_.begin() + NLMSG_ALIGN(header->nlmsg_len);
  bytes_.insert(bytes_.end(), message_.begin(), end);
  std::fill(message_.begin(), end, 0);  // Padding is not written.
}

void NftBatch::append_table(const nft::Table& table) {
  auto object = own<NftnlTable>(nftnl_table_alloc());
  nftnl_table_set_u32(object.get(), NFTNL_TABLE_FAMILY, number_of(table.family));
  nftnl_table_set_str(object.get(), NFTNL_TABLE_NAME, table.name.c_str());
  nftnl_table_set_u32(object.get(), NFTNL_TABLE_FLAGS, table.owned ? kTableOwned : 0);
  if (!table.comment.empty()) {
    const UserData data = comment_data(table.comment);
    nftnl_table_set_data(object.get(), NFTNL_TABLE_USERDATA, nftnl_udata_buf_data(data.get()),
                         nftnl_udata_buf_len(data.get()));
  }
  append(NFT_MSG_NEWTABLE, table.family, NLM_F_CREATE, fmt::format("add table {}", table.name),
         [&](nlmsghdr* header) { nftnl_table_nlmsg_build_payload(header, object.get()); });
}

void NftBatch::append_chain(const nft::Table& table, const nft::Chain& chain) {
  auto object = own<NftnlChain>(nftnl_chain_alloc());
  nftnl_chain_set_u32(object.get(), NFTNL_CHAIN_FAMILY, number_of(table.family));
  nftnl_chain_set_str(object.get(), NFTNL_CHAIN_TABLE, table.name.c_str());
  nftnl_chain_set_str(object.get(), NFTNL_CHAIN_NAME, chain.name.c_str());
  if (chain.base) {
    const nft::Base& base = *chain.base;
    const std::string type(name_of(base.type));
    nftnl_chain_set_str(object.get(), NFTNL_CHAIN_TYPE, type.c_str());
    nftnl_chain_set_u32(object.get(), NFTNL_CHAIN_HOOKNUM, number_of(table.family, base.hook));
    nftnl_chain_set_s32(object.get(), NFTNL_CHAIN_PRIO, base.priority);
    nftnl_chain_set_u32(object.get(), NFTNL_CHAIN_POLICY,
                        base.policy == nft::Policy::Accept ? NF_ACCEPT : NF_DROP);
    if (!base.device.empty()) {
      nftnl_chain_set_str(object.get(), NFTNL_CHAIN_DEV, base.device.c_str());
    }
  }
  append(NFT_MSG_NEWCHAIN, table.family, NLM_F_CREATE,
         fmt::format("add chain {} to table {}", chain.name, table.name),
         [&](nlmsghdr* header) { nftnl_chain_nlmsg_build_payload(header, object.get()); });
}

void NftBatch::append_set(const NftPlace& place, const nft::Set& set, const std::string& object) {
  const NftnlSet built = set_object(place, set);
  append(NFT_MSG_NEWSET, place.family, NLM_F_CREATE, object,
         [&](nlmsghdr* header) { nftnl_set_nlmsg_build_payload(header, built.get()); });
  if (set.elements.empty()) return;
  using Iterator = std::unique_ptr<nftnl_set_elems_iter, NftnlFree<nftnl_set_elems_iter_destroy>>;
  auto elements = own<Iterator>(nftnl_set_elems_iter_create(built.get()));
  // An attribute holds 64 KiB; a long list takes several messages.
  for (bool more = true; more;) {
    append(NFT_MSG_NEWSETELEM, place.family, NLM_F_CREATE, object, [&](nlmsghdr* header) {
      more = nftnl_set_elems_nlmsg_build_payload_iter(header, elements.get()) > 0;
    });
  }
}

Status NftBatch::append_rule(const NftPlace& place, const nft::Rule& rule, std::uint16_t flags) {
  auto program = nft::lower(place.family, rule, next_set_id_);
  if (!program) {
    return fail(program.error().code,
                fmt::format("{} {}: {}", place.table, place.chain, program.error().message));
  }
  const std::string text =
      fmt::format("add rule to {} {}: {}", place.table, place.chain, nft::print(rule));
  for (const nft::Set& set : program->sets) append_set(place, set, text);

  const NftnlRule object = rule_object(place);
  ExpressionWriter writer(object.get());
  for (const nft::Expression& expression : program->expressions) std::visit(writer, expression);
  if (!rule.comment.empty()) {
    const UserData data = comment_data(rule.comment);
    nftnl_rule_set_data(object.get(), NFTNL_RULE_USERDATA, nftnl_udata_buf_data(data.get()),
                        nftnl_udata_buf_len(data.get()));
  }
  append(NFT_MSG_NEWRULE, place.family, flags, text,
         [&](nlmsghdr* header) { nftnl_rule_nlmsg_build_payload(header, object.get()); });
  return ok();
}

Status NftBatch::add_table(const nft::Table& table) {
  if (Status checked = nft::check_names(table); !checked) return checked;
  append_table(table);
  // All chains first: a rule may jump to any of them.
  for (const nft::Chain& chain : table.chains) append_chain(table, chain);
  const auto append_named = [&](nft::Set set, std::string_view kind) {
    set.id = next_set_id_++;
    append_set({.family = table.family, .table = table.name}, set,
               fmt::format("add {} {} to table {}", kind, set.name, table.name));
  };
  for (const nft::VerdictMap& map : table.maps) append_named(nft::to_set(map), "map");
  for (const nft::FadingSet& set : table.fading) append_named(nft::to_set(set), "set");
  for (const nft::Chain& chain : table.chains) {
    const NftPlace place{.family = table.family, .table = table.name, .chain = chain.name};
    for (const nft::Rule& rule : chain.rules) {
      if (Status added = append_rule(place, rule, NLM_F_CREATE | NLM_F_APPEND); !added)
        return added;
    }
  }
  return ok();
}

Status NftBatch::replace_table(const nft::Table& table) {
  // Deleting what does not exist would fail the transaction, so it exists first.
  append_table(table);
  delete_table(table.family, table.name);
  return add_table(table);
}

void NftBatch::delete_table(nft::Family family, const std::string& name) {
  auto object = own<NftnlTable>(nftnl_table_alloc());
  nftnl_table_set_u32(object.get(), NFTNL_TABLE_FAMILY, number_of(family));
  nftnl_table_set_str(object.get(), NFTNL_TABLE_NAME, name.c_str());
  append(NFT_MSG_DELTABLE, family, 0, fmt::format("delete table {}", name),
         [&](nlmsghdr* header) { nftnl_table_nlmsg_build_payload(header, object.get()); });
}

void NftBatch::delete_all_tables() {
  auto object = own<NftnlTable>(nftnl_table_alloc());
  append(NFT_MSG_DELTABLE, nft::Family::Inet, 0, "delete all tables", [&](nlmsghdr* header) {
    static_cast<nfgenmsg*>(mnl_nlmsg_get_payload(header))->nfgen_family = NFPROTO_UNSPEC;
    nftnl_table_nlmsg_build_payload(header, object.get());
  });
}

Status NftBatch::insert_rule(const NftPlace& place, const nft::Rule& rule) {
  return append_rule(place, rule, NLM_F_CREATE);  // Without NLM_F_APPEND it goes to the head.
}

void NftBatch::delete_rule(const NftPlace& place, std::uint64_t handle) {
  const NftnlRule object = rule_object(place);
  nftnl_rule_set_u64(object.get(), NFTNL_RULE_HANDLE, handle);
  append(NFT_MSG_DELRULE, place.family, 0,
         fmt::format("delete rule {} from {} {}", handle, place.table, place.chain),
         [&](nlmsghdr* header) { nftnl_rule_nlmsg_build_payload(header, object.get()); });
}

}  // namespace ginnel::os

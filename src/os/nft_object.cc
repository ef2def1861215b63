#include "os/nft_object.h"

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>

#include <algorithm>
#include <array>

namespace ginnel::os {
namespace {

using namespace hostnet::nft;

// Enumerators by the kernel's number; searched in both directions.
template <class E, std::size_t kSize>
using Numbers = std::array<std::pair<E, std::uint32_t>, kSize>;

constexpr Numbers<Family, 6> kFamilies = {{{Family::Ip, NFPROTO_IPV4},
                                           {Family::Ip6, NFPROTO_IPV6},
                                           {Family::Inet, NFPROTO_INET},
                                           {Family::Arp, NFPROTO_ARP},
                                           {Family::Bridge, NFPROTO_BRIDGE},
                                           {Family::Netdev, NFPROTO_NETDEV}}};
constexpr Numbers<Hook, 6> kInetHooks = {{{Hook::Prerouting, NF_INET_PRE_ROUTING},
                                          {Hook::Input, NF_INET_LOCAL_IN},
                                          {Hook::Forward, NF_INET_FORWARD},
                                          {Hook::Output, NF_INET_LOCAL_OUT},
                                          {Hook::Postrouting, NF_INET_POST_ROUTING},
                                          {Hook::Ingress, NF_INET_INGRESS}}};
constexpr Numbers<Hook, 2> kNetdevHooks = {
    {{Hook::Ingress, NF_NETDEV_INGRESS}, {Hook::Egress, NF_NETDEV_EGRESS}}};
constexpr Numbers<Hook, 2> kArpHooks = {{{Hook::Input, 0}, {Hook::Output, 1}}};
constexpr Numbers<MetaKey, 10> kMetaKeys = {{{MetaKey::Protocol, NFT_META_PROTOCOL},
                                             {MetaKey::Mark, NFT_META_MARK},
                                             {MetaKey::InIndex, NFT_META_IIF},
                                             {MetaKey::OutIndex, NFT_META_OIF},
                                             {MetaKey::InName, NFT_META_IIFNAME},
                                             {MetaKey::OutName, NFT_META_OIFNAME},
                                             {MetaKey::NfProto, NFT_META_NFPROTO},
                                             {MetaKey::L4Proto, NFT_META_L4PROTO},
                                             {MetaKey::PacketType, NFT_META_PKTTYPE},
                                             {MetaKey::SocketUser, NFT_META_SKUID}}};
constexpr Numbers<ConnKey, 10> kConnKeys = {{{ConnKey::State, NFT_CT_STATE},
                                             {ConnKey::Direction, NFT_CT_DIRECTION},
                                             {ConnKey::Status, NFT_CT_STATUS},
                                             {ConnKey::Mark, NFT_CT_MARK},
                                             {ConnKey::Source4, NFT_CT_SRC_IP},
                                             {ConnKey::Destination4, NFT_CT_DST_IP},
                                             {ConnKey::Source6, NFT_CT_SRC_IP6},
                                             {ConnKey::Destination6, NFT_CT_DST_IP6},
                                             {ConnKey::SourcePort, NFT_CT_PROTO_SRC},
                                             {ConnKey::DestinationPort, NFT_CT_PROTO_DST}}};
constexpr Numbers<CompareWith, 6> kCompares = {{{CompareWith::Equal, NFT_CMP_EQ},
                                                {CompareWith::NotEqual, NFT_CMP_NEQ},
                                                {CompareWith::Less, NFT_CMP_LT},
                                                {CompareWith::LessOrEqual, NFT_CMP_LTE},
                                                {CompareWith::Greater, NFT_CMP_GT},
                                                {CompareWith::GreaterOrEqual, NFT_CMP_GTE}}};
constexpr Numbers<VerdictKind, 7> kVerdicts = {
    {{VerdictKind::Accept, NF_ACCEPT},
     {VerdictKind::Drop, NF_DROP},
     {VerdictKind::Queue, NF_QUEUE},
     {VerdictKind::Continue, static_cast<std::uint32_t>(NFT_CONTINUE)},
     {VerdictKind::Return, static_cast<std::uint32_t>(NFT_RETURN)},
     {VerdictKind::Jump, static_cast<std::uint32_t>(NFT_JUMP)},
     {VerdictKind::Goto, static_cast<std::uint32_t>(NFT_GOTO)}}};
constexpr Numbers<KeyType, 8> kKeyTypes = {{{KeyType::Unknown, 0},
                                            {KeyType::Ip4, 7},
                                            {KeyType::Ip6, 8},
                                            {KeyType::Protocol, 12},
                                            {KeyType::Port, 13},
                                            {KeyType::IcmpType, 14},
                                            {KeyType::Icmp6Type, 29},
                                            {KeyType::Interface, 41}}};

constexpr std::uint32_t kRegisterBytes = 16;
constexpr std::uint32_t kSmallRegisterBytes = 4;

template <class E, std::size_t kSize>
std::optional<std::uint32_t> number_in(const Numbers<E, kSize>& numbers, E wanted) {
  const auto found = std::ranges::find(numbers, wanted, &std::pair<E, std::uint32_t>::first);
  return found == numbers.end() ? std::nullopt : std::optional(found->second);
}
template <class E, std::size_t kSize>
std::optional<E> from_number(const Numbers<E, kSize>& numbers, std::uint32_t wanted) {
  const auto found = std::ranges::find(numbers, wanted, &std::pair<E, std::uint32_t>::second);
  return found == numbers.end() ? std::nullopt : std::optional(found->first);
}
template <class E, std::size_t kSize>
std::uint32_t known(const Numbers<E, kSize>& numbers, E wanted) {
  const auto number = number_in(numbers, wanted);
  CHECK(number.has_value());
  return *number;
}

}  // namespace

std::uint8_t number_of(Family family) {
  return static_cast<std::uint8_t>(known(kFamilies, family));
}
std::optional<Family> family_from(std::uint32_t number) { return from_number(kFamilies, number); }

std::uint32_t number_of(Family family, Hook hook) {
  if (family == Family::Netdev) return known(kNetdevHooks, hook);
  if (family == Family::Arp) return known(kArpHooks, hook);
  return known(kInetHooks, hook);
}
std::optional<Hook> hook_from(Family family, std::uint32_t number) {
  if (family == Family::Netdev) return from_number(kNetdevHooks, number);
  if (family == Family::Arp) return from_number(kArpHooks, number);
  return from_number(kInetHooks, number);
}

std::uint32_t number_of(MetaKey key) { return known(kMetaKeys, key); }
MetaKey meta_key_from(std::uint32_t number) {
  return from_number(kMetaKeys, number).value_or(MetaKey::Other);
}
std::uint32_t number_of(ConnKey key) { return known(kConnKeys, key); }
ConnKey conn_key_from(std::uint32_t number) {
  return from_number(kConnKeys, number).value_or(ConnKey::Other);
}
std::uint32_t number_of(CompareWith with) { return known(kCompares, with); }
CompareWith compare_from(std::uint32_t number) {
  return from_number(kCompares, number).value_or(CompareWith::Equal);
}
std::uint32_t number_of(VerdictKind kind) { return known(kVerdicts, kind); }
std::optional<VerdictKind> verdict_from(std::uint32_t number) {
  return from_number(kVerdicts, number);
}

std::uint32_t register_number(Register offset) {
  CHECK(offset % kSmallRegisterBytes == 0 && offset < kRegisterFileSize);
  if (offset % kRegisterBytes == 0) return NFT_REG_1 + offset / kRegisterBytes;
  return NFT_REG32_00 + offset / kSmallRegisterBytes;
}
std::optional<Register> register_from(std::uint32_t number) {
  if (number >= NFT_REG_1 && number <= NFT_REG_4) {
    return static_cast<Register>((number - NFT_REG_1) * kRegisterBytes);
  }
  if (number >= NFT_REG32_00 && number <= NFT_REG32_15) {
    return static_cast<Register>((number - NFT_REG32_00) * kSmallRegisterBytes);
  }
  return std::nullopt;
}

std::uint32_t number_of(KeyType type) { return known(kKeyTypes, type); }

}  // namespace ginnel::os

#include "core/hostnet/nft_print.h"

#include <gtest/gtest.h>

namespace ginnel::hostnet::nft {
namespace {

net::Prefix prefix(const char* text) { return net::Prefix::parse(text).value(); }

TEST(NftPrint, WritesEachTermAsNftDoes) {
  const struct {
    Term term;
    const char* text;
  } rows[] = {
      {InterfaceIs{.names = {"wg0"}}, "iifname \"wg0\""},
      {InterfaceIs{.direction = Direction::Out, .names = {"wg0"}, .is = Is::No},
       "oifname != \"wg0\""},
      {InterfaceIs{.names = {"wg0", "lo", "wg0"}}, "iifname { \"lo\", \"wg0\" }"},
      {AddressIn{.prefixes = {prefix("10.0.0.0/8")}}, "ip saddr 10.0.0.0/8"},
      {AddressIn{.prefixes = {prefix("10.0.0.1/32")}}, "ip saddr 10.0.0.1"},
      {AddressIn{.side = Side::Destination, .prefixes = {prefix("fd00::/64")}, .is = Is::No},
       "ip6 daddr != fd00::/64"},
      {AddressIn{.prefixes = {prefix("10.1.0.0/16"), prefix("10.0.0.0/8"), prefix("9.9.9.9/32")}},
       "ip saddr { 9.9.9.9, 10.0.0.0/8 }"},
      {FamilyIs{net::Family::V6}, "meta nfproto ipv6"},
      {ProtocolIn{{Protocol::Udp}}, "meta l4proto udp"},
      {ProtocolIn{{Protocol::Udp, Protocol::Icmp6, Protocol::Tcp}},
       "meta l4proto { tcp, udp, ipv6-icmp }"},
      {PortIn{.ports = {PortRange::one(53)}}, "udp dport 53"},
      {PortIn{.protocol = Protocol::Tcp, .side = Side::Source, .ports = {{1, 9}}, .is = Is::No},
       "tcp sport != 1-9"},
      {PortIn{.ports = {{80, 90}, {91, 91}, {22, 22}}}, "udp dport { 22, 80-91 }"},
      {PortIn{.ports = {{54, 54}, {53, 53}}}, "udp dport { 53, 54 }"},
      {PortIn{.ports = {{0, 65535}, {65535, 65535}}}, "udp dport 0-65535"},
      {MarkIs{.value = 0x8888}, "meta mark 0x00008888"},
      {MarkIs{.of = MarkOf::Connection, .value = 8, .mask = 0xff, .is = Is::No},
       "ct mark & 0x000000ff != 0x00000008"},
      {ConnStateIn{kRelated | kEstablished}, "ct state established,related"},
      {AddressTypeIs{.is = Is::No}, "fib saddr type != local"},
      {ReversePathMissing{}, "fib saddr . iif oif missing"},
      {IcmpTypeIn{.types = {134}}, "icmpv6 type 134"},
      {HopLimitIs{}, "ip6 hoplimit 255"},
      {SocketUserIs{.user = 1000}, "meta skuid 1000"},
      {SocketUserIs{.user = kNoUser, .is = Is::No}, "meta skuid != 4294967295"},
      {SocketCgroupIs{.path = "a.slice/b.service", .id = 7},
       "socket cgroupv2 level 2 \"a.slice/b.service\""},
      {LaterFragment{net::Family::V4}, "ip frag-off & 0x1fff != 0"},
      {LaterFragment{net::Family::V6}, "frag frag-off != 0"},
      {TcpSyn{}, "tcp flags syn / syn,rst"},
      {Counter{}, "counter"},
      {Log{"gone "}, "log prefix \"gone \""},
      {SetMark{.value = 16}, "meta mark set 0x00000010"},
      {SetMark{.of = MarkOf::Connection, .value = 0x8800, .mask = 0xff00},
       "ct mark set ct mark & 0xffff00ff | 0x00008800"},
      {CopyMark{}, "ct mark set meta mark"},
      {CopyMark{.to = MarkOf::Packet, .mask = 0xff}, "meta mark set ct mark & 0x000000ff"},
      {ClampMss{}, "tcp option maxseg size set rt mtu"},
      {Masquerade{}, "masquerade"},
      {SourceNat{net::Address::parse("192.0.2.1").value()}, "snat ip to 192.0.2.1"},
      {Accept{}, "accept"},
      {Drop{}, "drop"},
      {Return{}, "return"},
      {Reject{}, "reject"},
      {Reject{RejectWith::AdminProhibited}, "reject with icmpx admin-prohibited"},
      {Jump{"elsewhere"}, "jump elsewhere"},
      {Goto{"elsewhere"}, "goto elsewhere"},
  };
  for (const auto& row : rows) EXPECT_EQ(print(row.term), row.text);
}

TEST(NftPrint, LeavesOutOfAStringWhatNftCannotQuote) {
  EXPECT_EQ(quoted("ginnel:server:wg0"), "\"ginnel:server:wg0\"");
  EXPECT_EQ(quoted("a\"b\\c\nd"), "\"abcd\"");
}

TEST(NftPrint, WritesATableThatNftLoads) {
  const Table table{
      .name = "t",
      .comment = "ginnel:server:wg0",
      .chains = {{.name = "c",
                  .base = Base{.hook = Hook::Forward, .priority = -10, .policy = Policy::Drop},
                  .rules = {{.terms = {Counter{}, Accept{}}, .comment = "mine"}}},
                 {.name = "d"}}};
  EXPECT_EQ(print(table),
            "table inet t {\n"
            "  comment \"ginnel:server:wg0\"\n"
            "  chain c {\n"
            "    type filter hook forward priority -10; policy drop;\n"
            "    counter accept comment \"mine\"\n"
            "  }\n"
            "  chain d {\n"
            "  }\n"
            "}\n");
}

}  // namespace
}  // namespace ginnel::hostnet::nft

#include "net/ip_packet.h"

#include <fmt/format.h>

#include "unit/net/packet_builder.h"

namespace ginnel::net {
namespace {

using testing::build;
using testing::Bytes;
using testing::PacketSpec;

TEST(IpPacket, ReadsAddressesAndProtocolOfBothFamilies) {
  for (const bool v6 : {false, true}) {
    Bytes bytes = build({.v6 = v6, .udp = true, .payload = {1, 2, 3}});
    const auto packet = IpPacket::parse(bytes);
    ASSERT_TRUE(packet);
    EXPECT_EQ(packet->family(), v6 ? Family::V6 : Family::V4);
    EXPECT_EQ(packet->source().to_string(), v6 ? "fd00::1" : "10.0.0.1");
    EXPECT_EQ(packet->destination().to_string(), v6 ? "fd00::2" : "10.0.0.2");
    EXPECT_EQ(packet->protocol(), 17);
    EXPECT_EQ(packet->header_size(), v6 ? 40u : 20u);
    EXPECT_EQ(packet->payload().size(), 11u);
    EXPECT_EQ(packet->addresses().size(), v6 ? 32u : 8u);
    EXPECT_TRUE(packet->has_valid_header_checksum());
  }
}

TEST(IpPacket, CutsOffWhatPadsThePacket) {
  for (const bool v6 : {false, true}) {
    Bytes bytes = build({.v6 = v6, .payload = {1, 2, 3}});
    const std::size_t size = bytes.size();
    bytes.resize(size + 13);
    const auto packet = IpPacket::parse(bytes);
    ASSERT_TRUE(packet);
    EXPECT_EQ(packet->bytes().size(), size);
  }
}

TEST(IpPacket, RefusesWhatIsNotAPacket) {
  struct Row {
    const char* name;
    Bytes bytes;
    IpFault fault;
  };
  const Bytes v4 = build({});
  const Bytes v6 = build({.v6 = true});
  Bytes short_header = v4;
  short_header[0] = 0x44;
  Bytes longer = v4;
  testing::put16(longer, 2, v4.size() + 1);
  Bytes shorter_than_header = v4;
  testing::put16(shorter_than_header, 2, 19);
  Bytes options_beyond = build({.udp = true});  // 28 bytes; the header claims 60.
  options_beyond[0] = 0x4f;
  Bytes longer6 = v6;
  testing::put16(longer6, 4, v6.size() - 40 + 1);
  const Row rows[] = {
      {"nothing", {}, IpFault::TooShort},
      {"one byte of IPv4", {0x45}, IpFault::TooShort},
      {"19 bytes of IPv4", Bytes(v4.begin(), v4.begin() + 19), IpFault::TooShort},
      {"39 bytes of IPv6", Bytes(v6.begin(), v6.begin() + 39), IpFault::TooShort},
      {"version 0", Bytes(64, 0x00), IpFault::UnknownVersion},
      {"version 5", Bytes(64, 0x55), IpFault::UnknownVersion},
      {"version 15", Bytes(64, 0xff), IpFault::UnknownVersion},
      {"header of 16 bytes", short_header, IpFault::BadHeaderLength},
      {"one byte missing", longer, IpFault::Truncated},
      {"total below the header", shorter_than_header, IpFault::Truncated},
      {"options beyond the end", options_beyond, IpFault::Truncated},
      {"one byte of IPv6 missing", longer6, IpFault::Truncated},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    Bytes bytes = row.bytes;
    const auto packet = IpPacket::parse(bytes);
    ASSERT_FALSE(packet);
    EXPECT_EQ(packet.error(), row.fault);
  }
}

TEST(IpPacket, AcceptsTheSmallestPackets) {
  Bytes v4 = build({});
  v4.resize(20);
  testing::put16(v4, 2, 20);
  EXPECT_TRUE(IpPacket::parse(v4));
  Bytes v6 = build({.v6 = true});
  v6.resize(40);
  testing::put16(v6, 4, 0);
  ASSERT_TRUE(IpPacket::parse(v6));
  EXPECT_TRUE(IpPacket::parse(v6)->payload().empty());
}

TEST(IpPacket, ChangesEcnAloneAndKeepsTheHeaderChecksumRight) {
  for (const bool v6 : {false, true}) {
    for (unsigned before = 0; before < 4; ++before) {
      for (unsigned after = 0; after < 4; ++after) {
        SCOPED_TRACE(fmt::format("v6 {} from {} to {}", v6, before, after));
        const auto dscp = 0xb8u;
        Bytes bytes = build({.v6 = v6, .traffic_class = static_cast<std::uint8_t>(dscp | before)});
        const Bytes wanted =
            build({.v6 = v6, .traffic_class = static_cast<std::uint8_t>(dscp | after)});
        const auto packet = IpPacket::parse(bytes);
        ASSERT_EQ(packet->ecn(), before);
        packet->set_ecn(static_cast<std::uint8_t>(after));
        EXPECT_EQ(packet->ecn(), after);
        EXPECT_EQ(bytes, wanted);
      }
    }
  }
}

TEST(IpPacket, KnowsFragments) {
  for (const auto& [field, is_fragment] : {std::pair{0x0000, false},
                                           {0x4000, false},
                                           {0x2000, true},
                                           {0x0001, true},
                                           {0x1fff, true}}) {
    Bytes bytes = build({.fragment = static_cast<std::uint16_t>(field)});
    EXPECT_EQ(IpPacket::parse(bytes)->is_fragment(), is_fragment) << field;
  }
}

TEST(IpPacket, SeesABadHeaderChecksum) {
  Bytes bytes = build({});
  bytes[8] ^= 1;
  EXPECT_FALSE(IpPacket::parse(bytes)->has_valid_header_checksum());
}

}  // namespace
}  // namespace ginnel::net

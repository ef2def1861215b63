#include "core/leaks/sighting.h"

#include <gtest/gtest.h>

#include "unit/core/leaks/leak_samples.h"

namespace ginnel::leaks {
namespace {

constexpr MacAddress kMac = {2, 0, 0, 0, 0, 1};

WireRules rules() {
  return {.run = 5,
          .endpoints = {net::Endpoint::parse("198.51.100.1:51820").value()},
          .transport_ports = {40000},
          .tunnel_addresses = {to_address("10.2.0.2")}};
}

Bytes udp(std::string_view to, std::uint16_t from_port, std::uint16_t to_port,
          const Bytes& payload = {4}) {
  const bool v4 = to_address(to).is_v4();
  const ProbePacket packet{.source = to_address(v4 ? "192.0.2.2" : "fe80::2"),
                           .destination = to_address(to),
                           .source_port = from_port,
                           .destination_port = to_port};
  return ethernet_frame(kMac, kMac, v4 ? kEtherIpv4 : kEtherIpv6, to_bytes(packet, payload));
}

TEST(Sighting, TellsATunnelsDatagramFromEverythingElse) {
  struct Row {
    const char* to;
    std::uint16_t from_port;
    std::uint16_t to_port;
    FrameKind kind;
  };
  const Row rows[] = {{"198.51.100.1", 40000, 51820, FrameKind::Transport},
                      {"198.51.100.1", 40001, 51820, FrameKind::Stray},
                      {"198.51.100.1", 40000, 51821, FrameKind::Stray},
                      {"198.51.100.2", 40000, 51820, FrameKind::Stray},
                      {"255.255.255.255", 68, 67, FrameKind::Housekeeping},
                      {"255.255.255.255", 67, 68, FrameKind::Stray},
                      {"ff02::1:2", 546, 547, FrameKind::Housekeeping},
                      {"ff02::1:2", 68, 67, FrameKind::Stray}};
  for (const Row& row : rows) {
    SCOPED_TRACE(testing::Message() << row.to << " " << row.from_port << " " << row.to_port);
    EXPECT_EQ(classify(udp(row.to, row.from_port, row.to_port), rules()).kind, row.kind);
  }
}

// Also one that looks like the tunnel's own.
TEST(Sighting, KnowsAProbeWhateverItLooksLike) {
  const ProbeTag tag{.run = 5, .attack = 3, .phase = 2};
  const Sighting sighting = classify(udp("198.51.100.1", 40000, 51820, to_payload(tag)), rules());
  EXPECT_EQ(sighting.kind, FrameKind::Probe);
  EXPECT_EQ(sighting.tag, tag);
}

TEST(Sighting, KnowsWhenTheTunnelsAddressIsTold) {
  Bytes answer = arp_question(kMac, to_address("10.2.0.2"), to_address("192.0.2.1"));
  EXPECT_EQ(classify(answer, rules()).kind, FrameKind::Housekeeping);
  answer[kEthernetBytes + 7] = 2;
  EXPECT_EQ(classify(answer, rules()).kind, FrameKind::Reveal);
}

TEST(Sighting, TakesEveryCutOffFrame) {
  for (Bytes frame : {udp("198.51.100.1", 40000, 51820), udp("ff02::1:2", 546, 547),
                      arp_question(kMac, to_address("192.0.2.2"), to_address("192.0.2.1"))}) {
    while (!frame.empty()) {
      frame.pop_back();
      const FrameKind kind = classify(frame, rules()).kind;
      EXPECT_NE(kind, FrameKind::Probe);
      EXPECT_FALSE(describe_frame(frame).empty());
    }
  }
}

}  // namespace
}  // namespace ginnel::leaks

#include "core/leaks/probe_packet.h"

#include <gtest/gtest.h>

#include "net/checksum.h"
#include "net/ip_packet.h"

namespace ginnel::leaks {
namespace {

net::Address to_address(std::string_view text) { return net::Address::parse(text).value(); }

constexpr ProbeTag kTag{.run = 0x0123456789abcdef, .attack = 513, .phase = 7};

ProbePacket packet_of(ProbeProtocol protocol, bool v4) {
  return {.protocol = protocol,
          .source = to_address(v4 ? "192.0.2.2" : "2001:db8::2"),
          .destination = to_address(v4 ? "198.51.100.1" : "2001:db8:9::1"),
          .source_port = 40400,
          .destination_port = 53};
}

// A receiver that checks what it gets takes all of them.
TEST(ProbePacket, IsAsAReceiverWantsIt) {
  for (const ProbeProtocol protocol :
       {ProbeProtocol::Udp, ProbeProtocol::Tcp, ProbeProtocol::Echo}) {
    for (const bool v4 : {true, false}) {
      SCOPED_TRACE(testing::Message() << "protocol " << int(protocol) << (v4 ? " v4" : " v6"));
      const ProbePacket wanted = packet_of(protocol, v4);
      Bytes bytes = to_bytes(wanted, to_payload(kTag));
      const auto packet = net::IpPacket::parse(bytes);
      ASSERT_TRUE(packet);
      EXPECT_EQ(packet->bytes().size(), bytes.size());
      EXPECT_EQ(packet->source(), wanted.source);
      EXPECT_EQ(packet->destination(), wanted.destination);
      EXPECT_TRUE(packet->has_valid_header_checksum());
      net::InternetSum sum;
      const bool has_pseudo_header = protocol != ProbeProtocol::Echo || !v4;
      if (has_pseudo_header) {
        sum = net::pseudo_header(packet->addresses(), packet->protocol(), packet->payload().size());
      }
      sum.add(packet->payload());
      EXPECT_TRUE(sum.is_valid());
    }
  }
}

TEST(ProbeTag, IsFoundWhereverItStands) {
  const Bytes payload = to_payload(kTag);
  for (const std::size_t before : {0u, 1u, 42u, 77u}) {
    Bytes frame(before, 'g');
    frame.insert(frame.end(), payload.begin(), payload.end());
    EXPECT_EQ(find_tag(frame, kTag.run), kTag) << before;
    frame.push_back(0);
    EXPECT_EQ(find_tag(frame, kTag.run), kTag) << before;
  }
}

TEST(ProbeTag, IsNotFoundWhenCutOffOrOfAnotherRun) {
  Bytes payload = to_payload(kTag);
  EXPECT_EQ(find_tag(payload, kTag.run + 1), std::nullopt);
  EXPECT_EQ(find_tag({}, kTag.run), std::nullopt);
  while (!payload.empty()) {
    payload.pop_back();
    EXPECT_EQ(find_tag(payload, kTag.run), std::nullopt) << payload.size();
  }
}

TEST(Arp, AnswersAreReadAndQuestionsAreNot) {
  constexpr MacAddress kMac = {2, 0, 0, 0, 0, 1};
  Bytes frame = arp_question(kMac, to_address("192.0.2.1"), to_address("10.2.0.2"));
  ASSERT_EQ(frame.size(), kEthernetBytes + 28);
  EXPECT_EQ(arp_answer(frame), std::nullopt);
  frame[kEthernetBytes + 7] = 2;  // The operation.
  EXPECT_EQ(arp_answer(frame), to_address("192.0.2.1"));
  frame.pop_back();
  EXPECT_EQ(arp_answer(frame), std::nullopt);
}

}  // namespace
}  // namespace ginnel::leaks

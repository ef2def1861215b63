#include "net/coalescer.h"

#include <fmt/format.h>

#include <map>
#include <tuple>

#include "net/segmenter.h"
#include "unit/net/packet_builder.h"

namespace ginnel::net {
namespace {

// It owns no memory, so a packet cannot cost an allocation.
static_assert(std::is_trivially_destructible_v<Coalescer>);

using testing::build;
using testing::Bytes;
using testing::get16;
using testing::get32;
using testing::is_sound;
using testing::PacketSpec;
using testing::random_bytes;

constexpr Coalescer::Kinds kAll{.tcp_v4 = true, .tcp_v6 = true, .udp = true};

// A write as the kernel would see it.
struct Written {
  VirtioHeader header;
  Bytes bytes;
  std::size_t packets;
};

// Plans `packets` on copies, so that a test can compare with what it put in.
std::vector<Written> coalesce(std::vector<Bytes> packets, Coalescer::Kinds kinds = kAll) {
  Coalescer coalescer(kinds);
  std::vector<ByteSpan> spans(packets.begin(), packets.end());
  std::vector<Written> result;
  for (const TunWrite& write : coalescer.plan(spans)) {
    Written written{write.header, {}, write.packets()};
    for (const ByteView piece : write.pieces) {
      written.bytes.insert(written.bytes.end(), piece.begin(), piece.end());
    }
    result.push_back(std::move(written));
  }
  return result;
}

// What the kernel makes of a super-packet again.
std::vector<Bytes> resegment(Written written) {
  Segmenter segmenter;
  PacketBatch batch;
  std::vector<Bytes> packets;
  EXPECT_TRUE(segmenter.begin(written.header, written.bytes));
  for (bool done = false; !done;) {
    done = segmenter.next_into(batch);
    for (std::size_t i = 0; i < batch.size(); ++i) {
      packets.emplace_back(batch.packet(i).begin(), batch.packet(i).end());
    }
    batch.clear();
  }
  return packets;
}

// A run of segments of one flow, as its sender makes them.
std::vector<Bytes> flow(PacketSpec spec, std::size_t count, std::size_t size = 100) {
  std::vector<Bytes> packets;
  for (std::size_t i = 0; i < count; ++i) {
    spec.payload = Bytes(size, static_cast<std::uint8_t>(i));
    packets.push_back(build(spec));
    spec.sequence += static_cast<std::uint32_t>(size);
    ++spec.identification;
  }
  return packets;
}

std::vector<std::size_t> sizes(const std::vector<Written>& writes) {
  std::vector<std::size_t> result;
  for (const Written& write : writes) result.push_back(write.packets);
  return result;
}

using Sizes = std::vector<std::size_t>;

TEST(Coalescer, JoinsAFlowIntoOneSuperPacketThatSegmentsBackToItself) {
  for (const bool v6 : {false, true}) {
    for (const bool udp : {false, true}) {
      for (const std::size_t count : {2u, 3u, 44u, 45u}) {
        SCOPED_TRACE(fmt::format("v6 {} udp {} count {}", v6, udp, count));
        const auto packets = flow({.v6 = v6, .udp = udp}, count, 1368);
        const auto writes = coalesce(packets);
        ASSERT_EQ(sizes(writes), Sizes{count});
        EXPECT_EQ(resegment(writes[0]), packets);
      }
    }
  }
}

TEST(Coalescer, DescribesASuperPacketForTheKernel) {
  const PacketSpec spec{.tcp_options = Bytes(12, 1)};
  const auto writes = coalesce(flow(spec, 3));
  ASSERT_EQ(sizes(writes), Sizes{3});
  const VirtioHeader wanted{.flags = VirtioHeader::kNeedsChecksum,
                            .gso_type = VirtioHeader::kTcpV4,
                            .header_length = 52,
                            .segment_size = 100,
                            .checksum_start = 20,
                            .checksum_offset = 16};
  EXPECT_EQ(writes[0].header, wanted);
  const Bytes& bytes = writes[0].bytes;
  EXPECT_EQ(bytes.size(), 352u);
  EXPECT_EQ(get16(bytes, 2), 352u);
  EXPECT_EQ(testing::plain_sum(ByteView(bytes).first(20)), 0xffffu);
  EXPECT_EQ(get16(bytes, 36), testing::plain_pseudo_sum(bytes, 20, 6));
}

TEST(Coalescer, PassesASinglePacketUntouched) {
  const auto packets = flow({}, 1);
  const auto writes = coalesce(packets);
  ASSERT_EQ(sizes(writes), Sizes{1});
  EXPECT_EQ(writes[0].header, VirtioHeader{});
  EXPECT_EQ(writes[0].bytes, packets[0]);
}

TEST(Coalescer, PlansNothingForNoPackets) { EXPECT_TRUE(coalesce({}).empty()); }

TEST(Coalescer, LetsOnlyTheLastSegmentBeShorter) {
  for (const bool udp : {false, true}) {
    auto packets = flow({.udp = udp}, 2, 100);
    const auto shorter = flow({.udp = udp, .sequence = 5200}, 1, 99);
    const auto after = flow({.udp = udp, .sequence = 5299}, 2, 100);
    packets.insert(packets.end(), shorter.begin(), shorter.end());
    packets.insert(packets.end(), after.begin(), after.end());
    EXPECT_EQ(sizes(coalesce(packets)), (Sizes{3, 2})) << udp;
  }
}

TEST(Coalescer, StartsAnewWithALongerSegment) {
  auto packets = flow({}, 2, 100);
  const auto longer = flow({.sequence = 5200}, 2, 101);
  packets.insert(packets.end(), longer.begin(), longer.end());
  EXPECT_EQ(sizes(coalesce(packets)), (Sizes{2, 2}));
}

TEST(Coalescer, StopsAfterAPush) {
  auto packets = flow({}, 2);
  const auto pushed = flow({.sequence = 5200, .flags = 0x18, .identification = 3}, 3);
  packets.insert(packets.end(), pushed.begin(), pushed.end());
  const auto writes = coalesce(packets);
  ASSERT_EQ(sizes(writes), (Sizes{3, 1, 1}));
  EXPECT_EQ(writes[0].bytes[33], 0x18);
  EXPECT_EQ(resegment(writes[0])[1][33], 0x10);
  EXPECT_EQ(resegment(writes[0])[2], packets[2]);
}

TEST(Coalescer, JoinsOnlySegmentsWhoseHeadersAgree) {
  struct Row {
    const char* name;
    PacketSpec first;
    void (*change)(PacketSpec&);
    bool joined;
  };
  const PacketSpec tcp{.tcp_options = Bytes(12, 1)};
  const PacketSpec tcp6{.v6 = true, .tcp_options = Bytes(12, 1)};
  const PacketSpec udp{.udp = true};
  const PacketSpec optioned{.ip_options = Bytes(8, 1)};
  using P = PacketSpec;
  const Row rows[] = {
      {"the same", tcp, [](P&) {}, true},
      {"another identification", tcp, [](P& p) { p.identification = 999; }, true},
      {"pushed", tcp, [](P& p) { p.flags = 0x18; }, true},
      {"a gap", tcp, [](P& p) { p.sequence += 1; }, false},
      {"an overlap", tcp, [](P& p) { p.sequence -= 1; }, false},
      {"another acknowledgement", tcp, [](P& p) { p.acknowledgement++; }, false},
      {"another window", tcp, [](P& p) { p.window++; }, false},
      {"FIN", tcp, [](P& p) { p.flags = 0x11; }, false},
      {"SYN", tcp, [](P& p) { p.flags = 0x12; }, false},
      {"RST", tcp, [](P& p) { p.flags = 0x14; }, false},
      {"URG", tcp, [](P& p) { p.flags = 0x30; }, false},
      {"ECE", tcp, [](P& p) { p.flags = 0x50; }, false},
      {"CWR", tcp, [](P& p) { p.flags = 0x90; }, false},
      {"no ACK", tcp, [](P& p) { p.flags = 0x00; }, false},
      {"other options", tcp, [](P& p) { p.tcp_options[11] = 2; }, false},
      {"more options", tcp, [](P& p) { p.tcp_options.resize(16); }, false},
      {"another port", tcp, [](P& p) { p.source_port++; }, false},
      {"another port there", tcp, [](P& p) { p.destination_port++; }, false},
      {"another source", tcp, [](P& p) { p.source++; }, false},
      {"another destination", tcp, [](P& p) { p.destination++; }, false},
      {"another traffic class", tcp, [](P& p) { p.traffic_class = 0x10; }, false},
      {"congestion experienced", tcp, [](P& p) { p.traffic_class = 3; }, false},
      {"another hop limit", tcp, [](P& p) { p.hop_limit--; }, false},
      {"without DF", tcp, [](P& p) { p.fragment = 0; }, false},
      {"a fragment", tcp, [](P& p) { p.fragment = 0x2000; }, false},
      {"IP options", tcp, [](P& p) { p.ip_options = Bytes(4); }, false},
      {"UDP", tcp, [](P& p) { p.udp = true; }, false},
      {"IPv6: the same", tcp6, [](P&) {}, true},
      {"IPv6: another source", tcp6, [](P& p) { p.source++; }, false},
      {"IPv6: another traffic class", tcp6, [](P& p) { p.traffic_class = 1; }, false},
      {"IPv6: another hop limit", tcp6, [](P& p) { p.hop_limit--; }, false},
      {"IPv6: IPv4", tcp6, [](P& p) { p.v6 = false; }, false},
      {"UDP: the same", udp, [](P&) {}, true},
      {"UDP: another port", udp, [](P& p) { p.source_port++; }, false},
      {"UDP: another hop limit", udp, [](P& p) { p.hop_limit--; }, false},
      {"IP options: the same", optioned, [](P&) {}, true},
      {"IP options: others", optioned, [](P& p) { p.ip_options[7] = 0; }, false},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    PacketSpec first = row.first;
    first.payload = Bytes(50, 1);
    PacketSpec second = first;
    second.sequence += 50;
    second.payload = Bytes(50, 2);
    row.change(second);
    const std::vector packets{build(first), build(second)};
    const auto writes = coalesce(packets);
    EXPECT_EQ(sizes(writes), row.joined ? Sizes{2} : (Sizes{1, 1}));
    if (!row.joined) {
      ASSERT_EQ(writes.size(), 2u);
      EXPECT_EQ(writes[0].bytes, packets[0]);
      EXPECT_EQ(writes[1].bytes, packets[1]);
    }
  }
}

TEST(Coalescer, JoinsAcrossTheEndOfTheSequenceSpace) {
  EXPECT_EQ(sizes(coalesce(flow({.sequence = 0xffffff9c}, 4))), Sizes{4});
}

TEST(Coalescer, NeverMakesADamagedPacketGood) {
  for (const bool v6 : {false, true}) {
    for (const bool udp : {false, true}) {
      for (const std::size_t victim : {0u, 1u, 2u}) {
        SCOPED_TRACE(fmt::format("v6 {} udp {} victim {}", v6, udp, victim));
        auto packets = flow({.v6 = v6, .udp = udp}, 3);
        packets[victim].back() ^= 0x40;
        const auto writes = coalesce(packets);
        bool alone = false;
        for (const Written& write : writes) {
          alone |= write.packets == 1 && write.bytes == packets[victim] &&
                   write.header == VirtioHeader{};
        }
        EXPECT_TRUE(alone);
      }
    }
  }
}

TEST(Coalescer, DoesNotJoinOverABadIpHeaderChecksum) {
  auto packets = flow({}, 2);
  packets[1][10] ^= 1;
  EXPECT_EQ(sizes(coalesce(packets)), (Sizes{1, 1}));
}

TEST(Coalescer, LeavesUdpWithoutAChecksumAlone) {
  auto packets = flow({.udp = true}, 2);
  for (Bytes& packet : packets) testing::put16(packet, 26, 0);
  EXPECT_EQ(sizes(coalesce(packets)), (Sizes{1, 1}));
}

TEST(Coalescer, LeavesUdpWhoseLengthDisagreesAlone) {
  auto packets = flow({.udp = true}, 2);
  for (Bytes& packet : packets) testing::put16(packet, 24, 107);
  EXPECT_EQ(sizes(coalesce(packets)), (Sizes{1, 1}));
}

TEST(Coalescer, CutsPaddingBeforeJoining) {
  auto packets = flow({}, 3, 50);
  const auto wanted = packets;
  for (Bytes& packet : packets) packet.resize(96);
  const auto writes = coalesce(packets);
  ASSERT_EQ(sizes(writes), Sizes{3});
  EXPECT_EQ(resegment(writes[0]), wanted);
}

TEST(Coalescer, LeavesOutWhatIsNotIpAndCountsIt) {
  auto packets = flow({}, 2);
  packets.insert(packets.begin() + 1, Bytes(40, 0x00));
  packets.push_back({});
  std::vector<ByteSpan> spans(packets.begin(), packets.end());
  Coalescer coalescer(kAll);
  EXPECT_EQ(coalescer.plan(spans).size(), 1u);
  EXPECT_EQ(coalescer.left_out(), 2u);
  EXPECT_TRUE(coalescer.plan({}).empty());
  EXPECT_EQ(coalescer.left_out(), 0u);
}

TEST(Coalescer, PassesKindsThatAreOffAsSinglePackets) {
  struct Row {
    PacketSpec spec;
    Coalescer::Kinds without;
  };
  const Row rows[] = {
      {{}, {.tcp_v4 = false, .tcp_v6 = true, .udp = true}},
      {{.v6 = true}, {.tcp_v4 = true, .tcp_v6 = false, .udp = true}},
      {{.udp = true}, {.tcp_v4 = true, .tcp_v6 = true, .udp = false}},
      {{.v6 = true, .udp = true}, {.tcp_v4 = true, .tcp_v6 = true, .udp = false}},
  };
  for (const Row& row : rows) {
    const auto packets = flow(row.spec, 3);
    EXPECT_EQ(sizes(coalesce(packets)), Sizes{3});
    const auto writes = coalesce(packets, row.without);
    ASSERT_EQ(sizes(writes), (Sizes{1, 1, 1}));
    for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(writes[i].bytes, packets[i]);
  }
}

TEST(Coalescer, StopsAtTheLargestSuperPacket) {
  for (const std::size_t size : {1364u, 1365u, 1366u}) {
    SCOPED_TRACE(size);
    const auto packets = flow({}, 50, size);
    const std::size_t fit = (Coalescer::kMaxSuperPacketBytes - 40) / size;
    EXPECT_EQ(sizes(coalesce(packets)), (Sizes{fit, 50 - fit}));
  }
  const std::size_t exact = (65535 - 40) / 5;  // 13099 * 5 = 65495: not a byte is left.
  EXPECT_EQ(sizes(coalesce(flow({}, 6, exact))), (Sizes{5, 1}));
  EXPECT_EQ(sizes(coalesce(flow({}, 5, exact + 1))), (Sizes{4, 1}));
}

TEST(Coalescer, StopsUdpAtTheSegmentsReceiversReckonWith) {
  for (const auto& [count, wanted] :
       {std::pair{63u, Sizes{63}}, std::pair{64u, Sizes{64}}, std::pair{65u, Sizes{64, 1}}}) {
    EXPECT_EQ(sizes(coalesce(flow({.udp = true}, count, 10))), wanted);
  }
}

TEST(Coalescer, TakesAsManyPacketsAsItSays) {
  EXPECT_EQ(sizes(coalesce(flow({}, Coalescer::kMaxPackets, 10))), Sizes{Coalescer::kMaxPackets});
  EXPECT_DEATH(coalesce(flow({}, Coalescer::kMaxPackets + 1, 10)), "kMaxPackets");
}

TEST(Coalescer, JoinsInterleavedFlowsUpToItsTable) {
  for (const std::size_t count : {1u, 2u, 15u, 16u}) {
    std::vector<std::vector<Bytes>> flows;
    for (std::size_t f = 0; f < count; ++f) {
      flows.push_back(flow({.source_port = static_cast<std::uint16_t>(100 + f)}, 4));
    }
    std::vector<Bytes> packets;
    for (std::size_t i = 0; i < 4; ++i) {
      for (const auto& one : flows) packets.push_back(one[i]);
    }
    EXPECT_EQ(sizes(coalesce(packets)), Sizes(count, 4)) << count;
  }
}

TEST(Coalescer, GivesUpAnOldFlowWhenItsTableIsFull) {
  std::vector<Bytes> packets;
  for (std::size_t f = 0; f <= Coalescer::kMaxOpenFlows; ++f) {
    packets.push_back(flow({.source_port = static_cast<std::uint16_t>(f)}, 2)[0]);
  }
  const auto next_of = [](std::uint16_t port) { return flow({.source_port = port}, 2)[1]; };
  packets.push_back(next_of(1));
  packets.push_back(next_of(Coalescer::kMaxOpenFlows));
  packets.push_back(next_of(0));  // Was given up for the last one.
  Sizes wanted(Coalescer::kMaxOpenFlows + 2, 1);
  wanted[1] = wanted[Coalescer::kMaxOpenFlows] = 2;
  EXPECT_EQ(sizes(coalesce(packets)), wanted);
}

TEST(Coalescer, LetsNoPacketPassOneOfItsOwnFlowThatCannotBeJoined) {
  const auto data = flow({}, 4);
  const Bytes pure_ack = build({.sequence = 5200});
  const auto writes = coalesce({data[0], data[1], pure_ack, data[2], data[3]});
  ASSERT_EQ(sizes(writes), (Sizes{2, 1, 2}));
  EXPECT_EQ(writes[1].bytes, pure_ack);
}

TEST(Coalescer, LetsNoPacketPassAFragmentOrAnotherProtocolOfTheSameHosts) {
  const auto data = flow({.udp = true}, 4);
  Bytes fragment = build({.udp = true, .fragment = 0x2000, .payload = Bytes(64)});
  Bytes ping = build({.payload = Bytes(8)});
  ping[9] = 1;
  for (const Bytes& other : {fragment, ping}) {
    const auto writes = coalesce({data[0], data[1], other, data[2], data[3]});
    EXPECT_EQ(sizes(writes), (Sizes{2, 1, 2}));
  }
}

TEST(Coalescer, LetsAFlowGoOnPastStrangers) {
  const auto data = flow({}, 4);
  const Bytes stranger = build({.source = 9, .fragment = 0x2000, .payload = Bytes(64)});
  EXPECT_EQ(sizes(coalesce({data[0], data[1], stranger, data[2], data[3]})), (Sizes{4, 1}));
}

// Segments big packets, mixes the segments with others, joins them and takes them apart again: each
// flow must come out byte for byte and in order.
TEST(Coalescer, KeepsEveryFlowExactlyInRandomMixtures) {
  using Flow = std::tuple<Bytes, unsigned, unsigned>;
  const auto flow_of = [](const Bytes& packet) {
    const std::size_t at = packet[0] >> 4 == 4 ? packet[0] % 16u * 4 : 40u;
    return Flow{Bytes(packet.begin() + 12, packet.begin() + 20),
                packet[packet[0] >> 4 == 4 ? 9 : 6], get32(packet, at)};
  };
  const auto by_flow = [&](const std::vector<Bytes>& packets) {
    std::map<Flow, std::vector<Bytes>> result;
    for (Bytes packet : packets) {
      const auto key = flow_of(packet);
      // A resegmented packet counts its identification on from the first one's, and writes a
      // checksum of zero as all ones. is_sound() looks at the checksums.
      const bool v4 = packet[0] >> 4 == 4;
      if (v4) testing::put16(packet, 4, 0), testing::put16(packet, 10, 0);
      const std::size_t transport = v4 ? 20 : 40;
      testing::put16(packet, transport + (packet[v4 ? 9 : 6] == 17 ? 6 : 16), 0);
      result[key].push_back(std::move(packet));
    }
    return result;
  };
  std::mt19937 random(11);
  std::size_t joined = 0;
  for (int round = 0; round < 400; ++round) {
    std::vector<PacketSpec> flows;
    for (unsigned f = 0; f < 1 + random() % 20; ++f) {
      PacketSpec spec{.v6 = random() % 2 == 0, .udp = random() % 3 == 0};
      spec.source_port = static_cast<std::uint16_t>(f);
      spec.sequence = static_cast<std::uint32_t>(random());
      if (random() % 2 == 0) spec.tcp_options = Bytes(12, 1);
      flows.push_back(spec);
    }
    std::vector<Bytes> packets;
    std::size_t current = 0;
    const std::size_t size = 1 + random() % 1400;
    for (std::size_t i = random() % Coalescer::kMaxPackets + 1; i > 0; --i) {
      if (random() % 3 == 0) current = random() % flows.size();
      PacketSpec& spec = flows[current];
      const bool odd = random() % 12 == 0;
      spec.payload = random_bytes(random, odd ? random() % 1400 : size);
      spec.flags = random() % 10 == 0 ? 0x18 : 0x10;
      if (random() % 30 == 0) spec.acknowledgement++;
      packets.push_back(build(spec));
      spec.sequence += static_cast<std::uint32_t>(spec.payload.size());
    }
    std::vector<Bytes> out;
    for (const Written& write : coalesce(packets)) {
      joined += write.packets - 1;
      if (write.packets == 1) {
        out.push_back(write.bytes);
        continue;
      }
      for (Bytes& packet : resegment(write)) out.push_back(std::move(packet));
    }
    for (const Bytes& packet : out) ASSERT_TRUE(is_sound(packet)) << round;
    ASSERT_TRUE(by_flow(out) == by_flow(packets)) << round;  // Too long to print.
  }
  EXPECT_GT(joined, 10000u);
}

TEST(Coalescer, RestoresEverySuperPacketThatTheSegmenterCut) {
  std::mt19937 random(12);
  for (int round = 0; round < 2000; ++round) {
    PacketSpec spec{.v6 = random() % 2 == 0, .udp = random() % 2 == 0};
    spec.sequence = static_cast<std::uint32_t>(random());
    spec.payload = random_bytes(random, 1 + random() % 20000);
    const std::size_t size = 400 + random() % 1100;
    const Bytes packet = build(spec, true);
    Written super{{.flags = VirtioHeader::kNeedsChecksum,
                   .gso_type = spec.udp  ? VirtioHeader::kUdp
                               : spec.v6 ? VirtioHeader::kTcpV6
                                         : VirtioHeader::kTcpV4,
                   .header_length = static_cast<std::uint16_t>(spec.header_size()),
                   .segment_size = static_cast<std::uint16_t>(size),
                   .checksum_start = static_cast<std::uint16_t>(spec.ip_size()),
                   .checksum_offset = static_cast<std::uint16_t>(spec.udp ? 6 : 16)},
                  packet,
                  1};
    const auto segments = resegment(super);
    const auto writes = coalesce(segments);
    ASSERT_EQ(sizes(writes), Sizes{segments.size()}) << round;
    if (segments.size() == 1) {
      ASSERT_EQ(writes[0].bytes, build(spec)) << round;
    } else {
      ASSERT_EQ(writes[0].bytes, packet) << round;
      ASSERT_EQ(writes[0].header, super.header) << round;
    }
  }
}

TEST(Coalescer, SurvivesNonsenseOfEveryKind) {
  std::mt19937 random(13);
  Coalescer coalescer(kAll);
  for (int round = 0; round < 3000; ++round) {
    std::vector<Bytes> packets;
    for (const bool v6 : {false, true}) {
      for (const bool udp : {false, true}) {
        auto one = flow({.v6 = v6, .udp = udp}, 4, 1 + random() % 40);
        for (Bytes& packet : one) {
          for (auto n = random() % 3; n > 0; --n) {
            packet[random() % std::min<std::size_t>(packet.size(), 64)] =
                static_cast<std::uint8_t>(random());
          }
          packet.resize(packet.size() - std::min<std::size_t>(packet.size(), random() % 3 * 7));
          packet.shrink_to_fit();
          packets.push_back(std::move(packet));
        }
      }
    }
    std::vector<ByteSpan> spans(packets.begin(), packets.end());
    std::size_t seen = 0;
    for (const TunWrite& write : coalescer.plan(spans)) seen += write.packets();
    ASSERT_EQ(seen + coalescer.left_out(), packets.size());
  }
}

}  // namespace
}  // namespace ginnel::net

#include "net/segmenter.h"

#include <fmt/format.h>

#include "unit/net/packet_builder.h"

namespace ginnel::net {
namespace {

// It owns no memory, so a packet cannot cost an allocation.
static_assert(std::is_trivially_destructible_v<Segmenter>);

using testing::build;
using testing::Bytes;
using testing::get16;
using testing::get32;
using testing::is_sound;
using testing::PacketSpec;
using testing::random_bytes;

VirtioHeader super_header(const PacketSpec& spec, std::size_t segment_size) {
  std::uint8_t type = VirtioHeader::kUdp;
  if (!spec.udp) type = spec.v6 ? VirtioHeader::kTcpV6 : VirtioHeader::kTcpV4;
  return {.flags = VirtioHeader::kNeedsChecksum,
          .gso_type = type,
          .header_length = static_cast<std::uint16_t>(spec.header_size()),
          .segment_size = static_cast<std::uint16_t>(segment_size),
          .checksum_start = static_cast<std::uint16_t>(spec.ip_size()),
          .checksum_offset = static_cast<std::uint16_t>(spec.udp ? 6 : 16)};
}

// Segments everything, emptying the batch as often as it is full.
std::vector<Bytes> segment(const VirtioHeader& header, Bytes packet) {
  Segmenter segmenter;
  PacketBatch batch;
  std::vector<Bytes> segments;
  EXPECT_TRUE(segmenter.begin(header, packet));
  for (bool done = false; !done;) {
    done = segmenter.next_into(batch);
    for (std::size_t i = 0; i < batch.size(); ++i) {
      segments.emplace_back(batch.packet(i).begin(), batch.packet(i).end());
      EXPECT_EQ(batch.ecn(i), IpPacket::parse(segments.back())->ecn());
    }
    batch.clear();
  }
  EXPECT_FALSE(segmenter.pending());
  return segments;
}

void expect_segments_of(const PacketSpec& spec, std::size_t segment_size) {
  SCOPED_TRACE(fmt::format("v6 {} udp {} payload {} segment {}", spec.v6, spec.udp,
                           spec.payload.size(), segment_size));
  const auto segments = segment(super_header(spec, segment_size), build(spec, true));

  const std::size_t count = (spec.payload.size() + segment_size - 1) / segment_size;
  ASSERT_EQ(segments.size(), std::max<std::size_t>(count, 1));
  for (std::size_t i = 0; i < segments.size(); ++i) {
    const bool last = i + 1 == segments.size();
    const auto from = spec.payload.begin() + static_cast<std::ptrdiff_t>(i * segment_size);
    PacketSpec part = spec;
    part.payload =
        Bytes(from, last ? spec.payload.end() : from + static_cast<std::ptrdiff_t>(segment_size));
    part.identification = static_cast<std::uint16_t>(spec.identification + i);
    part.sequence = spec.sequence + static_cast<std::uint32_t>(i * segment_size);
    if (!last) part.flags &= 0xf6;   // FIN and PSH belong to the last.
    if (i != 0) part.flags &= 0x7f;  // CWR belongs to the first.
    ASSERT_TRUE(is_sound(segments[i])) << i;
    // Zero and all ones are the same checksum, but the field differs: compare around it.
    Bytes wanted = build(part);
    Bytes got = segments[i];
    const std::size_t field = spec.ip_size() + (spec.udp ? 6 : 16);
    testing::put16(wanted, field, 0);
    testing::put16(got, field, 0);
    ASSERT_EQ(got, wanted) << i;
  }
}

TEST(Segmenter, CutsAtEveryBoundary) {
  std::mt19937 random(1);
  for (const bool v6 : {false, true}) {
    for (const bool udp : {false, true}) {
      for (const std::size_t size : {1u, 2u, 536u, 1368u, 1448u}) {
        for (const std::size_t payload : {std::size_t{0}, std::size_t{1}, size - 1, size, size + 1,
                                          2 * size - 1, 2 * size, 2 * size + 1, 3 * size}) {
          PacketSpec spec{.v6 = v6, .udp = udp, .flags = 0x18};
          spec.payload = random_bytes(random, payload);
          expect_segments_of(spec, size);
        }
      }
    }
  }
}

TEST(Segmenter, CutsTheLargestPacketThatIpAllows) {
  std::mt19937 random(2);
  for (const bool v6 : {false, true}) {
    for (const bool udp : {false, true}) {
      for (const std::size_t size : {64u, 1368u, 1448u, 8948u, 65535u}) {
        PacketSpec spec{.v6 = v6, .udp = udp, .sequence = 0xffff0000};
        spec.identification = 0xfffe;
        spec.payload = random_bytes(random, 65535 - spec.header_size());
        expect_segments_of(spec, size);
      }
    }
  }
}

TEST(Segmenter, CutsRandomPacketsExactly) {
  std::mt19937 random(3);
  for (int i = 0; i < 2000; ++i) {
    PacketSpec spec{.v6 = random() % 2 == 0, .udp = random() % 2 == 0};
    spec.sequence = static_cast<std::uint32_t>(random());
    spec.identification = static_cast<std::uint16_t>(random());
    spec.traffic_class = static_cast<std::uint8_t>(random());
    spec.flags = static_cast<std::uint8_t>(random());
    if (!spec.v6) spec.ip_options = random_bytes(random, random() % 11 * 4);
    spec.tcp_options = random_bytes(random, random() % 11 * 4);
    spec.payload = random_bytes(random, random() % 9000);
    expect_segments_of(spec, 1 + random() % 2000);
    if (HasFatalFailure()) return;
  }
}

TEST(Segmenter, KeepsFinAndPushForTheLastAndCwrForTheFirst) {
  PacketSpec spec{.flags = 0xd9, .payload = Bytes(25)};  // CWR, ECE, ACK, PSH, FIN.
  const auto segments = segment(super_header(spec, 10), build(spec, true));
  ASSERT_EQ(segments.size(), 3u);
  EXPECT_EQ(segments[0][33], 0xd0);
  EXPECT_EQ(segments[1][33], 0x50);
  EXPECT_EQ(segments[2][33], 0x59);
}

TEST(Segmenter, ResumesWhereAFullBatchStoppedIt) {
  std::mt19937 random(4);
  PacketSpec spec;
  spec.payload = random_bytes(random, 65000);
  Bytes packet = build(spec, true);
  Segmenter segmenter;
  PacketBatch batch;
  ASSERT_TRUE(segmenter.begin(super_header(spec, 400), packet));  // 163 segments.

  EXPECT_FALSE(segmenter.next_into(batch));
  EXPECT_EQ(batch.size(), PacketBatch::kMaxPackets);
  EXPECT_FALSE(segmenter.next_into(batch));  // Still full: nothing happens.
  EXPECT_EQ(batch.size(), PacketBatch::kMaxPackets);
  batch.clear();
  EXPECT_TRUE(segmenter.next_into(batch));
  EXPECT_EQ(batch.size(), 163 - PacketBatch::kMaxPackets);
  EXPECT_EQ(get32(batch.packet(0), 24), spec.sequence + 400 * PacketBatch::kMaxPackets);
}

TEST(Segmenter, FillsTheRestOfABatchThatHoldsOtherPackets) {
  PacketSpec spec{.payload = Bytes(2500)};
  Bytes packet = build(spec, true);
  PacketBatch batch;
  batch.append(100);
  Segmenter segmenter;
  ASSERT_TRUE(segmenter.begin(super_header(spec, 1000), packet));
  EXPECT_TRUE(segmenter.next_into(batch));
  EXPECT_EQ(batch.size(), 4u);
  EXPECT_TRUE(is_sound(batch.packet(3)));
}

TEST(Segmenter, HasNothingToDoBeforeTheFirstPacket) {
  Segmenter segmenter;
  PacketBatch batch;
  EXPECT_FALSE(segmenter.pending());
  EXPECT_TRUE(segmenter.next_into(batch));
  EXPECT_TRUE(batch.empty());
}

TEST(Segmenter, PassesAPlainPacketUnchangedAndCutsItsPadding) {
  std::mt19937 random(5);
  for (const bool v6 : {false, true}) {
    PacketSpec spec{.v6 = v6, .udp = true, .traffic_class = 2};
    spec.payload = random_bytes(random, 1001);
    const Bytes packet = build(spec);
    Bytes padded = packet;
    padded.resize(packet.size() + 7);
    EXPECT_EQ(segment({}, padded), std::vector<Bytes>(1, packet));
  }
}

TEST(Segmenter, FinishesTheChecksumOfASinglePacket) {
  std::mt19937 random(6);
  for (const bool v6 : {false, true}) {
    for (const bool udp : {false, true}) {
      for (const std::size_t size : {0u, 1u, 2u, 63u, 64u, 65u, 1391u, 60000u}) {
        PacketSpec spec{.v6 = v6, .udp = udp};
        spec.payload = random_bytes(random, size);
        VirtioHeader header = super_header(spec, 0);
        header.gso_type = VirtioHeader::kNone;
        const auto segments = segment(header, build(spec, true));
        ASSERT_EQ(segments.size(), 1u);
        EXPECT_TRUE(is_sound(segments[0]));
      }
    }
  }
}

TEST(Segmenter, NeverWritesAZeroUdpChecksum) {
  PacketSpec spec{.udp = true, .payload = {0, 0}};
  Bytes packet = build(spec);
  // Two bytes of payload that bring the sum to all ones, whose complement is zero.
  testing::put16(spec.payload, 0, get16(packet, 26));
  VirtioHeader header = super_header(spec, 0);
  header.gso_type = VirtioHeader::kNone;
  const auto segments = segment(header, build(spec, true));
  EXPECT_EQ(get16(segments[0], 26), 0xffffu);
  EXPECT_TRUE(is_sound(segments[0]));
}

TEST(Segmenter, RepeatsExtensionHeadersAndTrustsTheKernelsPseudoSum) {
  // A destination options header of eight bytes between IPv6 and TCP.
  PacketSpec spec{.v6 = true, .payload = Bytes(30, 0x5a)};
  Bytes packet = build(spec, true);
  const Bytes extension = {6, 0, 1, 4, 0, 0, 0, 0};
  packet.insert(packet.begin() + 40, extension.begin(), extension.end());
  packet[6] = 60;
  testing::put16(packet, 4, packet.size() - 40);
  VirtioHeader header = super_header(spec, 10);
  header.checksum_start = 48;

  const auto segments = segment(header, packet);

  ASSERT_EQ(segments.size(), 3u);
  for (Bytes bytes : segments) {
    EXPECT_TRUE(std::equal(extension.begin(), extension.end(), bytes.begin() + 40));
    EXPECT_EQ(get16(bytes, 4), bytes.size() - 40);
    bytes.erase(bytes.begin() + 40, bytes.begin() + 48);
    bytes[6] = 6;
    testing::put16(bytes, 4, bytes.size() - 40);
    EXPECT_TRUE(is_sound(bytes));
  }
}

TEST(Segmenter, CutsASuperPacketWhoseChecksumWasNotLeftOpen) {
  PacketSpec spec{.payload = Bytes(25, 7)};
  VirtioHeader header = super_header(spec, 10);
  header.flags = 0;
  header.checksum_start = header.checksum_offset = 0;
  for (const Bytes& bytes : segment(header, build(spec))) EXPECT_TRUE(is_sound(bytes));
}

TEST(Segmenter, RefusesHeadersThatContradictThePacket) {
  struct Row {
    const char* name;
    PacketSpec spec;
    void (*spoil)(VirtioHeader&, Bytes&);
    SegmentDrop drop;
  };
  const PacketSpec tcp{.payload = Bytes(100)};
  const PacketSpec tcp6{.v6 = true, .payload = Bytes(100)};
  const PacketSpec udp{.udp = true, .payload = Bytes(100)};
  using H = VirtioHeader;
  const Row rows[] = {
      {"no packet", tcp, [](H&, Bytes& b) { b.clear(); }, SegmentDrop::NotIp},
      {"not IP", tcp, [](H&, Bytes& b) { b[0] = 0x15; }, SegmentDrop::NotIp},
      {"cut off", tcp, [](H&, Bytes& b) { b.pop_back(); }, SegmentDrop::NotIp},
      {"IPv4 said to be IPv6", tcp, [](H& h, Bytes&) { h.gso_type = H::kTcpV6; },
       SegmentDrop::BadOffload},
      {"IPv6 said to be IPv4", tcp6, [](H& h, Bytes&) { h.gso_type = H::kTcpV4; },
       SegmentDrop::BadOffload},
      {"UDP said to be TCP", udp, [](H& h, Bytes&) { h.gso_type = H::kTcpV4; },
       SegmentDrop::BadOffload},
      {"UFO", udp, [](H& h, Bytes&) { h.gso_type = 3; }, SegmentDrop::UnknownKind},
      {"unknown kind", udp, [](H& h, Bytes&) { h.gso_type = 0x7f; }, SegmentDrop::UnknownKind},
      {"no segment size", tcp, [](H& h, Bytes&) { h.segment_size = 0; }, SegmentDrop::BadOffload},
      {"transport before its place", tcp, [](H& h, Bytes&) { h.checksum_start = 19; },
       SegmentDrop::BadOffload},
      {"IPv4 transport behind its place", tcp, [](H& h, Bytes&) { h.checksum_start = 24; },
       SegmentDrop::BadOffload},
      {"IPv6 transport before its place", tcp6, [](H& h, Bytes&) { h.checksum_start = 39; },
       SegmentDrop::BadOffload},
      {"transport beyond the end", tcp6, [](H& h, Bytes&) { h.checksum_start = 65535; },
       SegmentDrop::BadOffload},
      {"half a TCP header", tcp6,
       [](H& h, Bytes& b) { h.checksum_start = static_cast<std::uint16_t>(b.size() - 19); },
       SegmentDrop::BadOffload},
      {"checksum elsewhere", tcp, [](H& h, Bytes&) { h.checksum_offset = 6; },
       SegmentDrop::BadOffload},
      {"TCP header of 16 bytes", tcp, [](H&, Bytes& b) { b[32] = 0x40; }, SegmentDrop::BadOffload},
      {"TCP header beyond the end",
       {},
       [](H&, Bytes& b) { b[32] = 0x60; },
       SegmentDrop::BadOffload},
      {"a fragment", tcp, [](H&, Bytes& b) { b[6] = 0x20; }, SegmentDrop::BadOffload},
      {"single: checksum at the very end", tcp,
       [](H& h, Bytes& b) {
         h.gso_type = H::kNone;
         h.checksum_start = static_cast<std::uint16_t>(b.size() - 1);
         h.checksum_offset = 0;
       },
       SegmentDrop::BadOffload},
      {"single: checksum beyond the end", tcp,
       [](H& h, Bytes&) { h.gso_type = H::kNone, h.checksum_offset = 65534; },
       SegmentDrop::BadOffload},
      {"single: checksum inside the IP header", tcp,
       [](H& h, Bytes&) { h.gso_type = H::kNone, h.checksum_start = 18; }, SegmentDrop::BadOffload},
      {"single: odd offset", tcp,
       [](H& h, Bytes&) { h.gso_type = H::kNone, h.checksum_offset = 17; },
       SegmentDrop::BadOffload},
      {"too long for a batch",
       {.v6 = true, .udp = true, .payload = Bytes(65535 - 8)},
       [](H& h, Bytes&) { h.gso_type = H::kNone; },
       SegmentDrop::TooLong},
      {"a segment too long for a batch",
       {.v6 = true, .udp = true, .payload = Bytes(65535 - 8)},
       [](H& h, Bytes&) { h.segment_size = 65535; },
       SegmentDrop::TooLong},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    VirtioHeader header = super_header(row.spec, 10);
    Bytes packet = build(row.spec, true);
    row.spoil(header, packet);
    Segmenter segmenter;
    const auto begun = segmenter.begin(header, packet);
    ASSERT_FALSE(begun);
    EXPECT_EQ(begun.error(), row.drop);
    EXPECT_FALSE(segmenter.pending());
    PacketBatch batch;
    EXPECT_TRUE(segmenter.next_into(batch));
    EXPECT_TRUE(batch.empty());
  }
}

TEST(Segmenter, SurvivesNonsenseOfEveryKind) {
  std::mt19937 random(7);
  Segmenter segmenter;
  PacketBatch batch;
  int begun = 0;
  for (int i = 0; i < 20000; ++i) {
    PacketSpec spec{.v6 = random() % 2 == 0, .udp = random() % 2 == 0};
    spec.payload = random_bytes(random, random() % 300);
    Bytes packet = build(spec, true);
    VirtioHeader header = super_header(spec, 1 + random() % 100);
    for (unsigned n = random() % 4; n > 0; --n) {
      packet[random() % packet.size()] = static_cast<std::uint8_t>(random());
      auto bytes = std::bit_cast<std::array<std::uint8_t, sizeof header>>(header);
      bytes[random() % bytes.size()] = static_cast<std::uint8_t>(random() % 64);
      header = std::bit_cast<VirtioHeader>(bytes);
    }
    packet.resize(packet.size() - std::min<std::size_t>(packet.size(), random() % 3));
    packet.shrink_to_fit();  // So that the sanitizer sees the first byte outside.
    if (!segmenter.begin(header, packet)) continue;
    ++begun;
    while (!segmenter.next_into(batch)) batch.clear();
    batch.clear();
  }
  EXPECT_GT(begun, 2000);
}

}  // namespace
}  // namespace ginnel::net

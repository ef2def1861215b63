#include <benchmark/benchmark.h>

#include <cstddef>
#include <vector>

#include "net/checksum.h"
#include "net/coalescer.h"
#include "net/header_layout.h"
#include "net/segmenter.h"

namespace ginnel::net {
namespace {

using Bytes = std::vector<std::uint8_t>;

// A TCP/IPv4 super-packet of `payload` bytes with its checksum left open, as a TUN device hands it
// out.
Bytes super_packet(std::size_t payload) {
  Bytes packet(40 + payload, 0x5a);
  Ipv4Header ip{};
  ip.version_and_length = 0x45;
  ip.total_length.set(static_cast<std::uint16_t>(packet.size()));
  ip.time_to_live = 64;
  ip.protocol = kProtocolTcp;
  ip.source = {10, 0, 0, 1};
  ip.destination = {10, 0, 0, 2};
  TcpHeader tcp{};
  tcp.data_offset = 0x50;
  tcp.flags = TcpHeader::kAck;
  write_header(packet, ip);
  write_header(ByteSpan(packet).subspan(20), tcp);
  pseudo_header(ByteView(packet).subspan(12, 8), kProtocolTcp, packet.size() - 20)
      .store_sum(&packet[20 + offsetof(TcpHeader, checksum)]);
  return packet;
}

constexpr std::uint16_t kSegmentSize = 1380;
constexpr VirtioHeader kSuperHeader{.flags = VirtioHeader::kNeedsChecksum,
                                    .gso_type = VirtioHeader::kTcpV4,
                                    .header_length = 40,
                                    .segment_size = kSegmentSize,
                                    .checksum_start = 20,
                                    .checksum_offset = offsetof(TcpHeader, checksum)};

// The bound of the segmenter. Expect it to cost little more than BM_Copy: the sum hides behind the
// stores.
void BM_CopyAndSum(benchmark::State& state) {
  const Bytes from(static_cast<std::size_t>(state.range(0)), 0x5a);
  Bytes to(from.size());
  for (auto _ : state) {
    InternetSum sum;
    sum.add_copying(from, to.data());
    benchmark::DoNotOptimize(sum);
    benchmark::ClobberMemory();
  }
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(BM_CopyAndSum)->ArgName("bytes")->Arg(64)->Arg(512)->Arg(1380)->Arg(8192);

void BM_Copy(benchmark::State& state) {
  const Bytes from(static_cast<std::size_t>(state.range(0)), 0x5a);
  Bytes to(from.size());
  for (auto _ : state) {
    std::memcpy(to.data(), from.data(), from.size());
    benchmark::DoNotOptimize(to.data());
    benchmark::ClobberMemory();
  }
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(BM_Copy)->ArgName("bytes")->Arg(64)->Arg(512)->Arg(1380)->Arg(8192);

// What the coalescer pays to know that a packet is undamaged. Expect below 10 % of what opening it
// costs (380 ns at 1420 bytes).
void BM_Sum(benchmark::State& state) {
  const Bytes bytes(static_cast<std::size_t>(state.range(0)), 0x5a);
  for (auto _ : state) {
    InternetSum sum;
    sum.add(bytes);
    benchmark::DoNotOptimize(sum);
  }
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(BM_Sum)->ArgName("bytes")->Arg(20)->Arg(64)->Arg(512)->Arg(1380)->Arg(8192);

// A full super-packet into packets of the tunnel. Expect about 50 ns a packet, of which the copy is
// half.
void BM_Segment(benchmark::State& state) {
  Bytes packet = super_packet(static_cast<std::size_t>(state.range(0)) * kSegmentSize);
  Segmenter segmenter;
  PacketBatch batch;
  for (auto _ : state) {
    batch.clear();
    benchmark::DoNotOptimize(segmenter.begin(kSuperHeader, packet));
    benchmark::DoNotOptimize(segmenter.next_into(batch));
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(packet.size()));
}
BENCHMARK(BM_Segment)->ArgName("packets")->Arg(1)->Arg(8)->Arg(46);

// The way back: a run of one flow's packets, or of several flows' that alternate, into one write
// each. Expect about 60 ns a packet whatever the number of flows, most of it the checksums.
void BM_Coalesce(benchmark::State& state) {
  const auto flows = static_cast<std::size_t>(state.range(0));
  Bytes whole = super_packet(46 * kSegmentSize);
  Segmenter segmenter;
  PacketBatch batch;
  benchmark::DoNotOptimize(segmenter.begin(kSuperHeader, whole));
  segmenter.next_into(batch);
  std::vector<Bytes> packets;
  for (std::size_t i = 0; i < batch.size(); ++i) {
    for (std::size_t f = 0; f < flows; ++f) {
      Bytes packet(batch.packet(i).begin(), batch.packet(i).end());
      const auto port = static_cast<std::uint16_t>(f);
      packet[21] = static_cast<std::uint8_t>(f);
      update_checksum(&packet[20 + offsetof(TcpHeader, checksum)], 0, port);
      packets.push_back(std::move(packet));
    }
  }
  packets.resize(std::min(packets.size(), Coalescer::kMaxPackets));
  Coalescer coalescer({.tcp_v4 = true, .tcp_v6 = true, .udp = true});
  std::vector<ByteSpan> run(packets.begin(), packets.end());
  // Planning edits the first packets' headers; a fresh run comes from saved headers.
  std::vector<std::array<std::uint8_t, 40>> headers(run.size());
  for (std::size_t i = 0; i < run.size(); ++i) std::memcpy(&headers[i], run[i].data(), 40);
  std::size_t writes = 0;
  for (auto _ : state) {
    for (std::size_t i = 0; i < flows; ++i) std::memcpy(run[i].data(), &headers[i], 40);
    writes = coalescer.plan(run).size();
    benchmark::ClobberMemory();
  }
  state.counters["writes"] = static_cast<double>(writes);
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(run.size()));
}
BENCHMARK(BM_Coalesce)->ArgName("flows")->Arg(1)->Arg(4)->Arg(16);

}  // namespace
}  // namespace ginnel::net

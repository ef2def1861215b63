// A run of inner packets from a hostile peer: each is a length of two bytes and that many bytes.
// With an odd first byte the checksums are mended, or nothing would ever be joined.
#include <vector>

#include "base/check.h"
#include "net/checksum.h"
#include "net/coalescer.h"
#include "net/segmenter.h"

namespace ginnel::net {
namespace {

using Bytes = std::vector<std::uint8_t>;

void mend(Bytes& bytes) {
  const auto ip = IpPacket::parse(bytes);
  if (!ip || ip->is_fragment()) return;
  if (ip->is_v4()) {
    std::memset(&bytes[10], 0, 2);
    InternetSum sum;
    sum.add(ip->bytes().first(ip->header_size()));
    sum.store_checksum(&bytes[10]);
  }
  const bool tcp = ip->protocol() == kProtocolTcp;
  const ByteSpan transport = ip->payload();
  const std::size_t field = tcp ? 16 : 6;
  if ((!tcp && ip->protocol() != kProtocolUdp) || transport.size() < field + 2) return;
  std::memset(&transport[field], 0, 2);
  InternetSum sum = pseudo_header(ip->addresses(), ip->protocol(), transport.size());
  sum.add(transport);
  sum.store_nonzero_checksum(&transport[field]);
}

// What was joined must come apart into as many packets with the same payload.
void check_joined(const TunWrite& write) {
  Bytes super;
  for (const ByteView piece : write.pieces) super.insert(super.end(), piece.begin(), piece.end());
  CHECK(super.size() <= Coalescer::kMaxSuperPacketBytes);
  Segmenter segmenter;
  CHECK(segmenter.begin(write.header, super).has_value());
  PacketBatch batch;
  std::size_t count = 0;
  for (bool finished = false; !finished; batch.clear()) {
    finished = segmenter.next_into(batch);
    for (std::size_t i = 0; i < batch.size(); ++i, ++count) {
      CHECK(count < write.pieces.size());
      const ByteView piece = write.pieces[count];
      const std::size_t size =
          count == 0 ? piece.size() - write.header.header_length : piece.size();
      CHECK(std::ranges::equal(piece.last(size), batch.packet(i).last(size)));
    }
  }
  CHECK(count == write.packets());
}

void coalesce(ByteView input) {
  if (input.empty()) return;
  const bool mending = input[0] % 2 != 0;
  input = input.subspan(1);
  std::vector<Bytes> packets;
  while (input.size() >= 2 && packets.size() < Coalescer::kMaxPackets) {
    const std::size_t size = std::min<std::size_t>(load<Be16>(input), input.size() - 2);
    packets.emplace_back(input.begin() + 2, input.begin() + 2 + static_cast<std::ptrdiff_t>(size));
    if (mending) mend(packets.back());
    input = input.subspan(2 + size);
  }
  const std::vector<ByteSpan> run(packets.begin(), packets.end());
  Coalescer coalescer({.tcp_v4 = true, .tcp_v6 = true, .udp = true});
  std::size_t count = 0;
  for (const TunWrite& write : coalescer.plan(run)) {
    count += write.packets();
    if (write.packets() > 1)
      check_joined(write);
    else
      CHECK(write.header == VirtioHeader{});
  }
  CHECK(count + coalescer.left_out() == packets.size());
}

}  // namespace
}  // namespace ginnel::net

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  ginnel::net::coalesce({data, size});
  return 0;
}

// A packet and its virtio header as no kernel should send them: ten bytes of header, the rest is
// the packet.
#include <vector>

#include "base/check.h"
#include "net/segmenter.h"

namespace ginnel::net {
namespace {

// Emptying the batch wherever it is full must neither lose nor repeat a byte.
void segment(const VirtioHeader& header, std::vector<std::uint8_t> packet) {
  Segmenter segmenter;
  PacketBatch batch;
  if (!segmenter.begin(header, packet)) {
    CHECK(!segmenter.pending() && segmenter.next_into(batch) && batch.empty());
    return;
  }
  const ByteView whole = IpPacket::parse(packet)->bytes();
  const bool is_super = header.gso_type != VirtioHeader::kNone;
  std::size_t total = 0;
  std::size_t count = 0;
  for (bool finished = false; !finished; batch.clear()) {
    finished = segmenter.next_into(batch);
    CHECK(finished || batch.size() == PacketBatch::kMaxPackets || !batch.fits(packet.size()));
    for (std::size_t i = 0; i < batch.size(); ++i, ++count) {
      const auto part = IpPacket::parse(batch.packet(i));
      CHECK(part && part->bytes().size() == batch.packet(i).size());
      CHECK(part->ecn() == batch.ecn(i));
      CHECK(!is_super || part->has_valid_header_checksum());
      total += part->bytes().size();
    }
  }
  if (!is_super) {
    CHECK(count == 1 && total == whole.size());
    return;
  }
  // Every segment repeats the same headers, so the sum of sizes tells their length.
  CHECK(count > 0 && (total - whole.size()) % (count == 1 ? 1 : count - 1) == 0);
}

}  // namespace
}  // namespace ginnel::net

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  ginnel::net::VirtioHeader header;
  if (size < sizeof header || size > 70000) return 0;
  std::memcpy(&header, data, sizeof header);
  ginnel::net::segment(header, {data + sizeof header, data + size});
  return 0;
}

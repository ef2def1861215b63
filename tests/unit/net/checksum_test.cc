#include "net/checksum.h"

#include "unit/net/packet_builder.h"

namespace ginnel::net {
namespace {

using testing::Bytes;
using testing::get16;
using testing::plain_sum;
using testing::random_bytes;

unsigned stored_sum(const InternetSum& sum) {
  Bytes field(2);
  sum.store_sum(field.data());
  return get16(field, 0);
}

TEST(InternetSum, AgreesWithThePlainSumAtEverySizeAndAlignment) {
  std::mt19937 random(1);
  const Bytes bytes = random_bytes(random, 4096);
  for (std::size_t size = 0; size <= 700; ++size) {
    for (const std::size_t offset : {0u, 1u, 2u, 3u, 7u, 31u}) {
      const ByteView piece = ByteView(bytes).subspan(offset, size);
      InternetSum sum;
      sum.add(piece);
      ASSERT_EQ(stored_sum(sum), plain_sum(piece)) << size << " at " << offset;
    }
  }
}

TEST(InternetSum, CopiesExactlyAndSumsTheSame) {
  std::mt19937 random(2);
  const Bytes bytes = random_bytes(random, 4096);
  for (std::size_t size = 0; size <= 700; ++size) {
    for (const std::size_t offset : {0u, 1u, 5u, 32u}) {
      const ByteView piece = ByteView(bytes).subspan(offset, size);
      Bytes copy(size + 64, 0xee);
      InternetSum sum;
      sum.add_copying(piece, &copy[offset % 3]);
      ASSERT_EQ(stored_sum(sum), plain_sum(piece)) << size << " at " << offset;
      ASSERT_TRUE(std::equal(piece.begin(), piece.end(), &copy[offset % 3]));
      for (std::size_t i = offset % 3 + size; i < copy.size(); ++i) ASSERT_EQ(copy[i], 0xee);
    }
  }
}

TEST(InternetSum, DoesNotOverflowOnTheLargestPacketOfAllOnes) {
  for (const std::size_t size : {65534u, 65535u, 65536u}) {
    const Bytes bytes(size, 0xff);
    InternetSum sum;
    for (int i = 0; i < 5; ++i) sum.add(ByteView(bytes).first(65534));
    sum.add(bytes);
    EXPECT_EQ(stored_sum(sum), size % 2 == 0 ? 0xffffu : 0xff00u) << size;
  }
}

TEST(InternetSum, JoinsPiecesOfEvenSize) {
  std::mt19937 random(3);
  const Bytes bytes = random_bytes(random, 1001);
  for (std::size_t cut = 0; cut <= 1000; cut += 2) {
    InternetSum sum;
    sum.add(ByteView(bytes).first(cut));
    sum.add(ByteView(bytes).subspan(cut));
    ASSERT_EQ(stored_sum(sum), plain_sum(bytes)) << cut;
  }
}

TEST(InternetSum, GivesTheExampleOfRfc1071) {
  const Bytes bytes = {0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};
  InternetSum sum;
  sum.add(bytes);
  EXPECT_EQ(stored_sum(sum), 0xddf2u);
  Bytes field(2);
  sum.store_checksum(field.data());
  EXPECT_EQ(get16(field, 0), 0x220du);
}

TEST(InternetSum, StoresNoZeroWhereZeroMeansAbsent) {
  const Bytes bytes = {0xff, 0xff};
  InternetSum sum;
  sum.add(bytes);
  Bytes field(2, 0xaa);
  sum.store_checksum(field.data());
  EXPECT_EQ(get16(field, 0), 0u);
  sum.store_nonzero_checksum(field.data());
  EXPECT_EQ(get16(field, 0), 0xffffu);
}

TEST(InternetSum, TakesANumberOutAgain) {
  std::mt19937 random(4);
  for (int i = 0; i < 1000; ++i) {
    const Bytes bytes = random_bytes(random, 6);
    const auto number = static_cast<std::uint16_t>(random());
    InternetSum with;
    with.add(bytes);
    with.add_number(number);
    with.subtract_number(number);
    InternetSum without;
    without.add(bytes);
    ASSERT_EQ(stored_sum(with) % 0xffff, stored_sum(without) % 0xffff);
  }
}

TEST(InternetSum, AcceptsItsOwnChecksumAndNoOther) {
  testing::PacketSpec spec;
  spec.payload = {1, 2, 3};
  Bytes packet = testing::build(spec);
  const auto valid = [&] {
    InternetSum sum = pseudo_header(ByteView(packet).subspan(12, 8), 6, packet.size() - 20);
    sum.add(ByteView(packet).subspan(20));
    return sum.is_valid();
  };
  EXPECT_TRUE(valid());
  for (std::size_t i = 12; i < packet.size(); ++i) {
    packet[i] ^= 0x10;
    EXPECT_FALSE(valid()) << i;
    packet[i] ^= 0x10;
  }
}

TEST(UpdateChecksum, EqualsASumFromScratch) {
  std::mt19937 random(5);
  for (int i = 0; i < 2000; ++i) {
    Bytes header = random_bytes(random, 20);
    testing::put16(header, 10, 0);
    testing::put16(header, 10, plain_sum(header) ^ 0xffff);
    const auto before = static_cast<std::uint16_t>(get16(header, 0));
    const auto after = static_cast<std::uint16_t>(random());

    testing::put16(header, 0, after);
    update_checksum(&header[10], before, after);

    ASSERT_EQ(plain_sum(header), 0xffffu) << i;
  }
}

}  // namespace
}  // namespace ginnel::net

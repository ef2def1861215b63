#include "net/packet_batch.h"

#include <gtest/gtest.h>

namespace ginnel::net {
namespace {

TEST(PacketBatch, PadsToSixteenButNeverBeyondTheMtu) {
  struct Row {
    unsigned mtu;
    std::size_t length;
    std::size_t padded;
  };
  constexpr Row kRows[] = {
      {1420, 0, 0},          {1420, 1, 16},      {1420, 15, 16},        {1420, 16, 16},
      {1420, 17, 32},        {1420, 1408, 1408}, {1420, 1409, 1420},    {1420, 1419, 1420},
      {1420, 1420, 1420},    {1420, 1421, 1421}, {1420, 9000, 9000},    {1408, 1407, 1408},
      {1408, 1408, 1408},    {1408, 1409, 1409}, {65535, 65520, 65520}, {65535, 65521, 65535},
      {65535, 65535, 65535},
  };
  for (const Row& row : kRows) {
    SCOPED_TRACE(testing::Message() << "mtu " << row.mtu << " length " << row.length);
    PacketBatch batch(row.mtu);
    ASSERT_TRUE(batch.fits(row.length));
    EXPECT_EQ(batch.append(row.length).size(), row.length);
    EXPECT_EQ(batch.packet(0).size(), row.length);
    EXPECT_EQ(batch.padded(0).size(), row.padded);
    EXPECT_EQ(batch.datagram(0).size(), row.padded + 32);
  }
}

TEST(PacketBatch, ZeroesThePaddingAlsoWhereAnOlderPacketStood) {
  PacketBatch batch;
  std::ranges::fill(batch.append(1420), std::uint8_t{0xff});
  batch.clear();

  std::ranges::fill(batch.append(1401), std::uint8_t{0xff});

  const ByteSpan padded = batch.padded(0);
  ASSERT_EQ(padded.size(), 1408u);
  for (std::size_t i = 1401; i < padded.size(); ++i) EXPECT_EQ(padded[i], 0) << i;
}

TEST(PacketBatch, PutsDatagramsBackToBack) {
  PacketBatch batch;
  for (const std::size_t length : {1420u, 1420u, 7u, 0u, 1420u}) {
    ASSERT_TRUE(batch.fits(length));
    batch.append(length);
  }
  for (std::size_t i = 0; i + 1 < batch.size(); ++i) {
    EXPECT_EQ(batch.datagram(i).data() + batch.datagram(i).size(), batch.datagram(i + 1).data());
  }
  for (std::size_t i = 0; i < batch.size(); ++i) {
    EXPECT_EQ(batch.datagram(i).data() + PacketBatch::kHeadroom, batch.packet(i).data());
    EXPECT_EQ(batch.padded(i).data(), batch.packet(i).data());
  }
}

TEST(PacketBatch, HoldsMaxPacketsOfEthernetSizeAndNotOneMore) {
  PacketBatch batch(1500);
  for (std::size_t i = 0; i < PacketBatch::kMaxPackets; ++i) {
    ASSERT_EQ(batch.append(1500).size(), 1500u) << i;
  }
  EXPECT_FALSE(batch.fits(0));
  EXPECT_TRUE(batch.append(1).empty());
  EXPECT_EQ(batch.size(), PacketBatch::kMaxPackets);

  batch.clear();
  EXPECT_TRUE(batch.empty());
  EXPECT_EQ(batch.append(1500).size(), 1500u);
}

TEST(PacketBatch, FillsItsArenaToTheLastByteAndNotBeyond) {
  constexpr std::size_t kOverhead = PacketBatch::kHeadroom + PacketBatch::kTagroom;
  PacketBatch batch(0);  // No padding: every size is exact.
  for (std::size_t used = 0; used < 2 * (65535 + kOverhead); used += 65535 + kOverhead) {
    ASSERT_EQ(batch.append(65535).size(), 65535u);
  }
  const std::size_t left = PacketBatch::kArenaBytes - 2 * (65535 + kOverhead) - kOverhead;
  EXPECT_FALSE(batch.fits(left + 1));
  EXPECT_TRUE(batch.append(left + 1).empty());
  EXPECT_EQ(batch.append(left).size(), left);
  EXPECT_FALSE(batch.fits(0));
}

TEST(PacketBatch, RefusesAPacketLongerThanIpAllows) {
  PacketBatch batch(65535);
  EXPECT_FALSE(batch.fits(PacketBatch::kMaxPacketBytes + 1));
  EXPECT_TRUE(batch.append(PacketBatch::kMaxPacketBytes + 1).empty());
  EXPECT_TRUE(batch.fits(PacketBatch::kMaxPacketBytes));
}

TEST(PacketBatch, TakesANewMtuForTheNextPacket) {
  PacketBatch batch(1420);
  batch.append(1409);
  batch.set_mtu(1280);
  batch.append(1273);
  EXPECT_EQ(batch.padded(0).size(), 1420u);
  EXPECT_EQ(batch.padded(1).size(), 1280u);
}

TEST(PacketBatch, KeepsEcnPerPacketAndForgetsItOnAppend) {
  PacketBatch batch;
  batch.append(20);
  batch.append(20);
  batch.set_ecn(1, 3);
  EXPECT_EQ(batch.ecn(0), 0);
  EXPECT_EQ(batch.ecn(1), 3);

  batch.clear();
  batch.append(20);
  batch.append(20);
  EXPECT_EQ(batch.ecn(1), 0);
}

}  // namespace
}  // namespace ginnel::net

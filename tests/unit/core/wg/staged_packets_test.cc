#include "core/wg/staged_packets.h"

#include <gtest/gtest.h>

namespace ginnel::wg {
namespace {

constexpr PeerSlot kPeer{7};

std::vector<std::uint8_t> packet(std::size_t number, std::size_t size = 40) {
  std::vector<std::uint8_t> bytes(size, 0);
  bytes[0] = static_cast<std::uint8_t>(number);
  bytes[1] = static_cast<std::uint8_t>(number >> 8);
  return bytes;
}

TEST(StagedPackets, KeepsTheNewestPacketsOfAPeerInOrder) {
  StagedPackets staged;
  std::size_t dropped = 0;
  for (std::size_t i = 0; i < StagedPackets::kMaxPerPeer + 3; ++i) {
    dropped += staged.add(kPeer, packet(i));
  }
  EXPECT_EQ(dropped, 3u);

  net::PacketBatch batch;
  EXPECT_FALSE(staged.load(batch));  // Nobody has said that they may go.
  staged.release(kPeer);
  ASSERT_TRUE(staged.load(batch));
  ASSERT_EQ(batch.size(), StagedPackets::kMaxPerPeer);
  for (std::size_t i = 0; i < batch.size(); ++i) EXPECT_EQ(batch.packet(i)[0], i + 3);
  batch.clear();
  EXPECT_FALSE(staged.load(batch));
  EXPECT_TRUE(staged.empty());
  EXPECT_EQ(staged.bytes(), 0u);
}

TEST(StagedPackets, BoundsTheMemoryOfAllPeersTogether) {
  StagedPackets staged;
  std::uint32_t peer = 0;
  while (staged.add(PeerSlot{peer}, packet(1, 1400)) == 0) {
    ASSERT_LT(++peer, 100'000u);
    ASSERT_LE(staged.bytes(), StagedPackets::kMaxBytes);
  }
  EXPECT_FALSE(staged.holds(PeerSlot{peer}));
  for (std::uint32_t i = 0; i < peer; ++i) EXPECT_EQ(staged.drop(PeerSlot{i}), 1u);
  EXPECT_EQ(staged.bytes(), 0u);
}

TEST(StagedPackets, ALoadThatDoesNotFitGoesOnWithTheNextBatch) {
  StagedPackets staged;
  for (std::size_t i = 0; i < 20; ++i) staged.add(kPeer, packet(i, 30'000));
  staged.release(kPeer);

  net::PacketBatch batch;
  std::size_t next = 0;
  while (staged.load(batch)) {
    for (std::size_t i = 0; i < batch.size(); ++i) EXPECT_EQ(batch.packet(i)[0], next++);
    batch.clear();
  }
  EXPECT_EQ(next, 20u);
}

TEST(StagedPackets, AsksOnceAndAgainAfterAWhile) {
  StagedPackets staged;
  staged.add(kPeer, packet(0));
  const MonoTime now{};
  EXPECT_TRUE(staged.take_ask(kPeer, now));
  EXPECT_FALSE(staged.take_ask(kPeer, now + kRekeyTimeout - 1ns));
  EXPECT_TRUE(staged.take_ask(kPeer, now + kRekeyTimeout));
}

}  // namespace
}  // namespace ginnel::wg

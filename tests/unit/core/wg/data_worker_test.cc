#include "core/wg/data_worker.h"

#include "net/ecn.h"
#include "unit/core/wg/linked_workers.h"

namespace ginnel::wg {
namespace {

constexpr MonoTime kNow = LinkedWorkers::kStart + 1s;
using Kind = WorkerEvent::Kind;

std::size_t count(const std::vector<WorkerEvent>& events, Kind kind) {
  return std::size_t(std::count_if(events.begin(), events.end(),
                                   [kind](const WorkerEvent& e) { return e.kind == kind; }));
}

// Reads `count` packets for each of the peers, in turn, while none of them has a session.
void stage(LinkedWorkers& workers, std::uint32_t peers, std::uint64_t count,
           std::size_t size = 64) {
  for (std::uint64_t number = 0; number < count; ++number) {
    for (std::uint32_t i = 0; i < peers; ++i) {
      EXPECT_TRUE(workers.seal_one(kNow, LinkedWorkers::packet(i, number, size)).empty());
    }
  }
}

void expect_in_order(const LinkedWorkers::Wire& delivered, std::uint32_t peers,
                     std::uint64_t count) {
  std::vector<std::uint64_t> next(peers, 0);
  for (const auto& packet : delivered) {
    const std::uint32_t i = packet[14];
    EXPECT_EQ(LinkedWorkers::number_in(packet), next[i]++) << "to peer " << i;
  }
  EXPECT_EQ(next, std::vector<std::uint64_t>(peers, count));
}

TEST(DataWorker, SendsPacketsThatWaitedInOrderToEachOfSeveralPeers) {
  LinkedWorkers workers(3);
  stage(workers, 3, 100);
  for (std::uint32_t i = 0; i < 3; ++i) {
    workers.connect(i);
    workers.near.post(WorkerCommand::Kind::SendStaged, PeerSlot{i});
  }
  expect_in_order(workers.open(kNow, workers.run_commands(kNow)), 3, 100);
}

TEST(DataWorker, SendsPacketsThatWaitedEvenIfOneBatchCannotHoldThem) {
  LinkedWorkers workers;
  stage(workers, 1, 60, 9000);
  workers.connect(0);
  workers.near.post(WorkerCommand::Kind::SendStaged, PeerSlot{0});
  expect_in_order(workers.open(kNow, workers.run_commands(kNow, 9000)), 1, 60);
}

TEST(DataWorker, KeepsPacketsInOrderWhenTheSessionIsGoneBeforeTheyWent) {
  LinkedWorkers workers;
  stage(workers, 1, 60, 9000);
  workers.connect(0);
  workers.near.paths[0]->current.store(nullptr);
  workers.near.post(WorkerCommand::Kind::SendStaged, PeerSlot{0});
  EXPECT_TRUE(workers.run_commands(kNow, 9000).empty());

  workers.connect(0);
  workers.near.post(WorkerCommand::Kind::SendStaged, PeerSlot{0});
  expect_in_order(workers.open(kNow, workers.run_commands(kNow, 9000)), 1, 60);
}

TEST(DataWorker, APacketReadWhileOthersWaitGoesBehindThem) {
  LinkedWorkers workers;
  stage(workers, 1, 3);
  workers.connect(0);
  EXPECT_TRUE(workers.seal_one(kNow, LinkedWorkers::packet(0, 3)).empty());

  expect_in_order(workers.open(kNow, workers.run_commands(kNow)), 1, 4);
}

TEST(DataWorker, DropsWhatWaitsWhenCommandsWereLost) {
  LinkedWorkers workers(2);
  stage(workers, 2, 1);
  for (std::size_t i = 0; i < WorkerMailbox::kMaxCommands + 1; ++i) {
    workers.near.post(WorkerCommand::Kind::DropStaged, PeerSlot{0});
  }
  workers.connect(1);
  workers.near.post(WorkerCommand::Kind::SendStaged, PeerSlot{1});
  EXPECT_TRUE(workers.run_commands(kNow).empty());
  EXPECT_EQ(workers.near.worker.drops().of(Drop::Unanswered), 2u);

  // It is over then.
  EXPECT_EQ(workers.seal_one(kNow, LinkedWorkers::packet(1, 1)).size(), 1u);
}

TEST(DataWorker, AsksForAHandshakeOnceUntilItHadTimeToHappen) {
  LinkedWorkers workers;
  stage(workers, 1, 10);
  EXPECT_EQ(count(workers.near.take_events(), Kind::NeedHandshake), 1u);
  workers.seal_one(kNow + kRekeyTimeout - 1ns, LinkedWorkers::packet(0, 1));
  EXPECT_TRUE(workers.near.take_events().empty());
  workers.seal_one(kNow + kRekeyTimeout, LinkedWorkers::packet(0, 1));
  EXPECT_EQ(count(workers.near.take_events(), Kind::NeedHandshake), 1u);
}

// Leaves no room for events until take_events().
void fill_events(LinkedWorkers::End& end) {
  while (end.tables.control.events.push({.kind = Kind::Active, .peer = PeerSlot{99}})) {
  }
}

TEST(DataWorker, TellsOfTheFirstUseOfASessionAgainIfTheQueueWasFull) {
  LinkedWorkers workers;
  workers.connect(0);
  fill_events(workers.far);
  EXPECT_EQ(workers.open(kNow, workers.seal_one(kNow, LinkedWorkers::packet(0, 1))).size(), 1u);
  EXPECT_EQ(count(workers.far.take_events(), Kind::Confirmed), 0u);

  workers.open(kNow, workers.seal_one(kNow, LinkedWorkers::packet(0, 2)));
  EXPECT_EQ(count(workers.far.take_events(), Kind::Confirmed), 1u);
  workers.open(kNow, workers.seal_one(kNow, LinkedWorkers::packet(0, 3)));
  EXPECT_TRUE(workers.far.take_events().empty());
}

TEST(DataWorker, TellsOfTrafficAfterQuietAgainIfTheQueueWasFull) {
  LinkedWorkers workers;
  workers.connect(0);
  fill_events(workers.near);
  fill_events(workers.far);
  workers.open(kNow, workers.seal_one(kNow, LinkedWorkers::packet(0, 1)));
  EXPECT_EQ(workers.near.take_events().back().peer, PeerSlot{99});
  EXPECT_EQ(workers.far.take_events().back().peer, PeerSlot{99});

  workers.open(kNow, workers.seal_one(kNow, LinkedWorkers::packet(0, 2)));
  EXPECT_EQ(count(workers.near.take_events(), Kind::Active), 1u);
  EXPECT_EQ(count(workers.far.take_events(), Kind::Active), 1u);
  workers.open(kNow, workers.seal_one(kNow, LinkedWorkers::packet(0, 3)));
  EXPECT_TRUE(workers.near.take_events().empty());
  EXPECT_TRUE(workers.far.take_events().empty());
}

TEST(DataWorker, AsksForNewKeysAgainIfTheQueueWasFull) {
  LinkedWorkers workers;
  workers.connect(0);
  const MonoTime late = LinkedWorkers::kStart + kRekeyAfterTime;
  fill_events(workers.near);
  workers.seal_one(late, LinkedWorkers::packet(0, 1));
  workers.near.take_events();
  workers.seal_one(late, LinkedWorkers::packet(0, 2));
  EXPECT_EQ(count(workers.near.take_events(), Kind::NeedHandshake), 1u);
  workers.seal_one(late, LinkedWorkers::packet(0, 3));
  EXPECT_EQ(count(workers.near.take_events(), Kind::NeedHandshake), 0u);
}

TEST(DataWorker, NoCounterIsUsedTwiceHoweverOftenSendingIsRefused) {
  LinkedWorkers workers;
  const auto session = workers.connect(0);
  session.near->skip_counters_to(kRejectAfterMessages - 1);
  EXPECT_EQ(workers.seal_one(kNow, LinkedWorkers::packet(0, 0)).size(), 1u);
  for (int i = 0; i < 20'000; ++i) {
    ASSERT_TRUE(workers.seal_one(kNow, LinkedWorkers::packet(0, 1)).empty()) << i;
  }
  EXPECT_GE(session.near->sent(), kRejectAfterMessages);
  EXPECT_EQ(count(workers.near.take_events(), Kind::NeedHandshake), 1u + 1u)
      << "once because the session grows old, once because packets wait";
}

TEST(DataWorker, ARunThatTheCountersDoNotCoverWaitsAsAWhole) {
  LinkedWorkers workers;
  const auto session = workers.connect(0);
  session.near->skip_counters_to(kRejectAfterMessages - 2);
  net::PacketBatch batch;
  for (int i = 0; i < 3; ++i) LinkedWorkers::append(batch, LinkedWorkers::packet(0, 1));
  EXPECT_TRUE(workers.seal(kNow, batch).empty());
}

TEST(DataWorker, RefusesACounterAtTheLimitBeforeLookingAtTheTag) {
  LinkedWorkers workers;
  const auto session = workers.connect(0);
  session.near->skip_counters_to(kRejectAfterMessages - 1);
  auto wire = workers.seal_one(kNow, LinkedWorkers::packet(0, 1));
  ASSERT_EQ(wire.size(), 1u);
  EXPECT_EQ(workers.open(kNow, wire).size(), 1u);
  store<Le64>(ByteSpan(wire[0]).subspan(8), kRejectAfterMessages);
  EXPECT_TRUE(workers.open(kNow, wire).empty());
  EXPECT_EQ(workers.far.worker.drops().of(Drop::SessionExpired), 1u);
  EXPECT_EQ(workers.far.worker.drops().of(Drop::BadTag), 0u);
}

TEST(DataWorker, ASessionEndsForBothDirectionsAtTheSameAge) {
  const MonoTime end = LinkedWorkers::kStart + kRejectAfterTime;
  struct Row {
    MonoTime now;
    bool alive;
  };
  for (const Row& row : {Row{end - 1ns, true}, Row{end, false}, Row{end + 1s, false}}) {
    SCOPED_TRACE((row.now - end).count());
    LinkedWorkers workers;
    workers.connect(0);
    const auto wire = workers.seal_one(kNow, LinkedWorkers::packet(0, 1));
    EXPECT_EQ(workers.open(row.now, wire).size(), row.alive ? 1u : 0u);
    EXPECT_EQ(workers.far.worker.drops().of(Drop::SessionExpired), row.alive ? 0u : 1u);
    EXPECT_EQ(workers.seal_one(row.now, LinkedWorkers::packet(0, 2)).size(), row.alive ? 1u : 0u);
  }
}

TEST(DataWorker, AsksForNewKeysFromTheMomentTheWhitepaperNames) {
  const auto asks_on_send = [](Duration age, bool from_initiator) {
    LinkedWorkers workers;
    const auto session = workers.connect(0);
    Session& sender = from_initiator ? *session.near : *session.far;
    return sender.take_rekey_on_send(LinkedWorkers::kStart + age);
  };
  EXPECT_FALSE(asks_on_send(kRekeyAfterTime - 1ns, true));
  EXPECT_TRUE(asks_on_send(kRekeyAfterTime, true));
  EXPECT_FALSE(asks_on_send(kRejectAfterTime, false));

  const auto asks_on_receive = [](Duration age, bool from_initiator) {
    LinkedWorkers workers;
    const auto session = workers.connect(0);
    Session& receiver = from_initiator ? *session.near : *session.far;
    return receiver.take_rekey_on_receive(LinkedWorkers::kStart + age);
  };
  const Duration late = kRejectAfterTime - kKeepaliveTimeout - kRekeyTimeout;
  EXPECT_FALSE(asks_on_receive(late - 1ns, true));
  EXPECT_TRUE(asks_on_receive(late, true));
  EXPECT_FALSE(asks_on_receive(late, false));

  LinkedWorkers workers;
  const auto session = workers.connect(0);
  session.far->skip_counters_to(kRekeyAfterMessages - 1);
  EXPECT_FALSE(session.far->take_rekey_on_send(kNow));
  session.far->skip_counters_to(kRekeyAfterMessages);
  EXPECT_TRUE(session.far->take_rekey_on_send(kNow)) << "counters concern the responder too";
}

TEST(DataWorker, DropsHandshakesThatFindNoRoomAndCountsThem) {
  constexpr std::size_t kMax = ControlMailbox::kMaxHandshakes;
  for (const std::size_t number : {kMax - 1, kMax, kMax + 1}) {
    SCOPED_TRACE(number);
    LinkedWorkers workers;
    std::vector<std::uint8_t> initiation(sizeof(HandshakeInitiation), 0);
    initiation[0] = HandshakeInitiation::kType;
    EXPECT_TRUE(workers.open(kNow, LinkedWorkers::Wire(number, initiation)).empty());
    std::vector<HandshakeDatagram> waiting;
    workers.far.tables.control.handshakes.drain(waiting);
    EXPECT_EQ(waiting.size(), std::min(number, kMax));
    EXPECT_EQ(workers.far.worker.drops().of(Drop::QueueFull), number - waiting.size());
  }
}

// RFC 6040, section 4.2: the table of what comes out, by inner and outer bits.
TEST(DataWorker, CongestionMarksOfTheOuterHeaderReachTheInnerOne) {
  constexpr std::uint8_t kDropped = 0xff;
  // Rows: the inner header has Not-ECT, ECT(1), ECT(0), CE; columns: the outer header has them.
  constexpr std::uint8_t kExpected[4][4] = {
      {net::kEcnNotEct, net::kEcnNotEct, net::kEcnNotEct, kDropped},
      {net::kEcnEct1, net::kEcnEct1, net::kEcnEct1, net::kEcnCe},
      {net::kEcnEct0, net::kEcnEct1, net::kEcnEct0, net::kEcnCe},
      {net::kEcnCe, net::kEcnCe, net::kEcnCe, net::kEcnCe},
  };
  for (std::uint8_t inner = 0; inner < 4; ++inner) {
    for (std::uint8_t outer = 0; outer < 4; ++outer) {
      SCOPED_TRACE(testing::Message() << "inner " << int(inner) << ", outer " << int(outer));
      LinkedWorkers workers;
      workers.connect(0);
      const auto delivered =
          workers.open(kNow, workers.seal_one(kNow, LinkedWorkers::packet(0, 1, 64, inner)), outer);
      if (kExpected[inner][outer] == kDropped) {
        EXPECT_TRUE(delivered.empty());
        EXPECT_EQ(workers.far.worker.drops().of(Drop::CongestionMarked), 1u);
      } else {
        ASSERT_EQ(delivered.size(), 1u);
        EXPECT_EQ(delivered[0][1] & 3, kExpected[inner][outer]);
      }
    }
  }
}

TEST(DataWorker, TheOuterHeaderRepeatsTheInnerCongestionBits) {
  for (std::uint8_t inner = 0; inner < 4; ++inner) {
    LinkedWorkers workers;
    workers.connect(0);
    net::PacketBatch batch;
    LinkedWorkers::append(batch, LinkedWorkers::packet(0, 1, 64, inner));
    std::vector<net::Datagram> sealed;
    workers.near.worker.begin_turn();
    workers.near.worker.seal(kNow, batch, sealed);
    workers.near.worker.end_turn();
    ASSERT_EQ(sealed.size(), 1u);
    EXPECT_EQ(sealed[0].ecn, inner);
  }
}

TEST(DataWorker, TheOuterHeaderRepeatsThemOfPacketsThatWaitedToo) {
  for (std::uint8_t inner = 0; inner < 4; ++inner) {
    LinkedWorkers workers;
    ASSERT_TRUE(workers.seal_one(kNow, LinkedWorkers::packet(0, 1, 64, inner)).empty());
    workers.connect(0);
    workers.near.post(WorkerCommand::Kind::SendStaged, PeerSlot{0});
    net::PacketBatch batch;
    std::vector<net::Datagram> sealed;
    workers.near.worker.begin_turn();
    workers.near.worker.handle_commands();
    ASSERT_TRUE(workers.near.worker.load_staged(batch));
    workers.near.worker.seal(kNow, batch, sealed);
    workers.near.worker.end_turn();
    ASSERT_EQ(sealed.size(), 1u);
    EXPECT_EQ(sealed[0].ecn, inner);
  }
}

TEST(DataWorker, WhatTheAeadLibraryIsMakesNoDifference) {
  using crypto::AeadLibrary;
  const AeadLibrary libraries[] = {AeadLibrary::OpenSsl, AeadLibrary::IpsecMb,
                                   AeadLibrary::IpsecMbAvx2, AeadLibrary::IpsecMbSse};
  std::optional<LinkedWorkers::Wire> first;
  for (const AeadLibrary library : libraries) {
    if (crypto::make_aead_batch(library) == nullptr) continue;
    LinkedWorkers workers(3, library, library);
    for (std::uint32_t i = 0; i < 3; ++i) workers.connect(i);
    test::SeededRng rng(12);
    LinkedWorkers::Wire all;
    for (int round = 0; round < 60; ++round) {
      net::PacketBatch batch;
      LinkedWorkers::Wire sent;
      for (std::uint64_t n = rng.below(20) + 1; n > 0; --n) {
        const auto i = static_cast<std::uint32_t>(rng.below(3));
        sent.push_back(LinkedWorkers::packet(i, n, 28 + rng.below(1393)));
        LinkedWorkers::append(batch, sent.back());
      }
      LinkedWorkers::Wire wire = workers.seal(kNow, batch);
      const std::uint64_t damaged = rng.below(2 * wire.size());
      if (damaged < wire.size()) {
        wire[damaged][16 + rng.below(wire[damaged].size() - 16)] ^= 0x40;
        sent.erase(sent.begin() + std::ptrdiff_t(damaged));
      }
      EXPECT_EQ(workers.open(kNow, wire), sent);
      all.insert(all.end(), wire.begin(), wire.end());
      EXPECT_TRUE(workers.open(kNow, all).empty()) << "all of these are replays or damaged";
    }
    if (!first) first = all;
    EXPECT_EQ(*first, all) << workers.near.worker.aead_name();
  }
}

}  // namespace
}  // namespace ginnel::wg
